"""Which objects a GitOps controller keeps, by the marks that Argo CD and Flux leave on what they apply."""

from typing import Any

import pytest

from headgate.cluster.gitops import keeper
from headgate.cluster.views import rollout_view

OWN = "apps:headgate.dev/Rollout:ai/reply"


def rollout(**metadata: object) -> dict[str, Any]:
    """A Rollout with these marks."""
    known = {"name": "reply", "namespace": "ai", "uid": "u", "resourceVersion": "1"}
    return {"apiVersion": "headgate.dev/v1alpha1", "kind": "Rollout", "metadata": {**known, **metadata}}


def applied(manager: str, **entry: object) -> dict[str, object]:
    """An entry of managedFields."""
    return {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {}}, **entry}


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, None),
        ({"labels": {"app": "x"}, "managedFields": [applied("kubectl"), applied("helm")]}, None),
        ({"annotations": {"argocd.argoproj.io/tracking-id": OWN}}, "Argo CD"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": f"team_{OWN}"}}, "Argo CD"),
        ({"labels": {"argocd.argoproj.io/instance": "apps"}}, "Argo CD"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "apps"}}, "Flux"),
        ({"managedFields": [applied("argocd-controller")]}, "Argo CD"),
        ({"managedFields": [applied("argocd-application-controller", operation="Update")]}, "Argo CD"),
        ({"managedFields": [applied("kustomize-controller")]}, "Flux"),
        ({"managedFields": [applied("helm-controller")]}, "Flux"),
    ],
)
def test_a_gitops_controller_is_recognised(metadata: dict[str, Any], name: str | None) -> None:
    assert keeper(rollout(**metadata)) == name


@pytest.mark.parametrize(
    "tracking", ["apps:headgate.dev/Rollout:ai/other", "apps:apps/Deployment:ai/reply", "apps:other/reply", "x", "", 3]
)
def test_a_tracking_id_that_was_copied_from_another_object_tells_nothing(tracking: object) -> None:
    assert keeper(rollout(annotations={"argocd.argoproj.io/tracking-id": tracking})) is None


def test_an_item_of_a_list_is_recognised_without_its_kind() -> None:
    item = rollout(annotations={"argocd.argoproj.io/tracking-id": OWN})
    del item["kind"]
    assert keeper(item) == "Argo CD"


def test_the_label_that_every_helm_chart_sets_tells_only_with_argos_own_field_manager() -> None:
    labels = {"app.kubernetes.io/instance": "apps", "app.kubernetes.io/managed-by": "Helm"}
    assert keeper(rollout(labels=labels)) is None
    assert keeper(rollout(labels=labels, managedFields=[applied("argocd-controller")])) == "Argo CD"


@pytest.mark.parametrize(
    "mark",
    [
        {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"},
        {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"},
        {"kustomize.toolkit.fluxcd.io/ssa": "Ignore"},
    ],
)
def test_what_flux_was_told_to_let_go_is_not_kept(mark: dict[str, str]) -> None:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps"}
    managed = [applied("kustomize-controller")]
    assert keeper(rollout(labels=labels, annotations=mark, managedFields=managed)) is None
    assert keeper(rollout(labels=labels, annotations={next(iter(mark)): "other"}, managedFields=managed)) == "Flux"


def test_who_only_writes_the_status_keeps_nothing() -> None:
    assert keeper(rollout(managedFields=[applied("argocd-controller", subresource="status")])) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"managedFields": "hostile", "labels": ["hostile"], "annotations": 3},
        {"managedFields": [3, {"manager": 4}, {"manager": ["argocd-controller"]}]},
        {"annotations": {"argocd.argoproj.io/tracking-id": {"a": "b"}}, "labels": None},
    ],
)
def test_malformed_marks_tell_nothing(metadata: dict[str, Any]) -> None:
    assert keeper(rollout(**metadata)) is None
    assert keeper({"metadata": "hostile"}) is None


def test_the_view_of_a_rollout_names_its_keeper() -> None:
    view = rollout_view(rollout(managedFields=[applied("argocd-controller")]))
    assert view is not None
    assert view.keeper == "Argo CD"
