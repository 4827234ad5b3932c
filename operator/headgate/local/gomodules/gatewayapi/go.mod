module headgate.dev/local/gatewayapi

go 1.26.0

// Only its CRD files are read (config/crd/standard); nothing is compiled, so go.sum needs no more than this module.
require sigs.k8s.io/gateway-api v1.4.1
