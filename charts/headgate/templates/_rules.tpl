{{- /* All that the operator may do. Nothing is deleted but old snapshots of targets, nothing replaced whole, no Secret is
read. */}}
{{- define "headgate.rules" -}}
- apiGroups: [headgate.dev]
  resources: [rollouts, qualitygates, promptversions]
  verbs: [get, list, watch]
# The way back restores the changed field of the spec.
- apiGroups: [headgate.dev]
  resources: [rollouts]
  verbs: [patch]
- apiGroups: [headgate.dev]
  resources: [rollouts/status, qualitygates/status, promptversions/status]
  verbs: [patch]
# Compiled prompts, flag documents, a record for each Rollout, the versions that a route's backends run.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
# Delivery by the OpenFeature operator's resource and by the Gateway API.
- apiGroups: [core.openfeature.dev]
  resources: [featureflags]
  verbs: [get, list, watch, create, patch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, patch]
{{- if .Values.hooks.jobs }}
# After a revert: Jobs made from CronJobs of the Rollout's own namespace.
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, create]
{{- end }}
{{- with .Values.targets }}
# What targets held before each attempt; the oldest beyond spec.revisionHistoryLimit are deleted.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, delete]
{{- range . }}
- apiGroups: [{{ .apiGroup }}]
  resources: {{ toJson .resources }}
  verbs: [get, list, watch, patch]
{{- end }}
{{- end }}
{{- end }}
