"""Whether a GitOps controller keeps an object, and would set back what is written into its spec. Pure."""

from headgate.cluster.objects import Json

_ARGO = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance")
_FLUX = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")
_MANAGERS = {"argocd-controller": "Argo CD", "kustomize-controller": "Flux", "helm-controller": "Flux"}


def keeper(raw: Json) -> str | None:
    """The controller that applies the object from Git, by name; None when nobody is seen to."""
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict):
        return None
    for marks in (metadata.get("labels"), metadata.get("annotations")):
        if isinstance(marks, dict):
            if any(mark in marks for mark in _ARGO):
                return "Argo CD"
            if any(mark in marks for mark in _FLUX):
                return "Flux"
    entries = metadata.get("managedFields")
    for entry in entries if isinstance(entries, list) else []:
        manager = entry.get("manager") if isinstance(entry, dict) else None
        if isinstance(manager, str) and manager in _MANAGERS:
            return _MANAGERS[manager]
    return None
