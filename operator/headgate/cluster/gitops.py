"""Whether a GitOps controller keeps an object, and would set back what is written into it. Pure; knows no Rollout."""

from collections.abc import Iterator, Mapping

from headgate.cluster import shape
from headgate.cluster.objects import Json, JsonValue

ARGO_CD = "Argo CD"
FLUX = "Flux"

_TRACKING = "argocd.argoproj.io/tracking-id"
_INSTANCE = "argocd.argoproj.io/instance"
_KUSTOMIZE = "kustomize.toolkit.fluxcd.io/name"
_HELM = "helm.toolkit.fluxcd.io/name"
_LET_GO = {
    "kustomize.toolkit.fluxcd.io/reconcile": {"disabled"},
    "kustomize.toolkit.fluxcd.io/ssa": {"ifnotpresent", "ignore"},
}
"""What tells Flux's kustomize-controller to leave an object that exists as it is."""

_MANAGERS = {
    "argocd-controller": ARGO_CD,
    "argocd-application-controller": ARGO_CD,
    "kustomize-controller": FLUX,
    "helm-controller": FLUX,
}
MARKS = frozenset({_TRACKING, _INSTANCE, _KUSTOMIZE, _HELM, *_LET_GO})
"""The labels and annotations by which a keeper is told. ``app.kubernetes.io/instance`` is not among them: every Helm
chart sets it. Where Argo CD tracks by that label, it is its field manager that tells."""


def keeper(raw: Json) -> str | None:
    """The controller that applies the object from Git, by its product's name; None when nobody is seen to."""
    metadata = shape.mapping(raw.get("metadata"))
    labels, annotations = shape.mapping(metadata.get("labels")), shape.mapping(metadata.get("annotations"))
    managers = set(_managers(metadata.get("managedFields")))
    if _INSTANCE in labels or _is_of(annotations.get(_TRACKING), raw, metadata):
        return ARGO_CD
    if let_go := _is_let_go(labels) or _is_let_go(annotations):
        managers.discard("kustomize-controller")
    if _HELM in labels or (_KUSTOMIZE in labels and not let_go):
        return FLUX
    return min((_MANAGERS[manager] for manager in managers if manager in _MANAGERS), default=None)


def _is_of(tracking: JsonValue, raw: Json, metadata: Mapping[str, JsonValue]) -> bool:
    """Whether a tracking id (``app:group/Kind:namespace/name``) is this object's own: controllers copy annotations.

    Argo CD itself takes no notice of one that names another object.
    """
    if not isinstance(tracking, str):
        return False
    *_, kind, name = tracking.split(":") if tracking.count(":") >= 2 else ("", "")
    if name != f"{metadata.get('namespace')}/{metadata.get('name')}":
        return False
    # Items of a list do not say of what kind they are.
    return "kind" not in raw or kind.rpartition("/")[2] == raw["kind"]


def _is_let_go(marks: Mapping[str, JsonValue]) -> bool:
    return any(str(marks.get(mark, "")).lower() in values for mark, values in _LET_GO.items())


def _managers(entries: JsonValue) -> Iterator[str]:
    """Who wrote anything but the status or another subresource."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and not entry.get("subresource"):
            manager = entry.get("manager")
            if isinstance(manager, str):
                yield manager
