"""A small CRD of the OpenFeature operator's group: FeatureFlag v1beta1 as it was before apis 0.2.46.

Their schema knows no metadata in flags, so the API server prunes it.
"""

from typing import Any

_KEPT: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_FLAG: dict[str, Any] = {
    "type": "object",
    "required": ["defaultVariant", "state", "variants"],
    "properties": {
        "defaultVariant": {"type": "string"},
        "state": {"type": "string", "enum": ["ENABLED", "DISABLED"]},
        "targeting": _KEPT,
        "variants": _KEPT,
    },
}
_FLAG_SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["flags"],
    "properties": {"$evaluators": _KEPT, "flags": {"type": "object", "additionalProperties": _FLAG}},
}

CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "featureflags.core.openfeature.dev"},
    "spec": {
        "group": "core.openfeature.dev",
        "names": {"kind": "FeatureFlag", "plural": "featureflags", "singular": "featureflag"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": {"flagSpec": _FLAG_SPEC}}},
                    }
                },
            }
        ],
    },
}
