"""The operator's identity: a ServiceAccount with exactly the rights of manifests/install.yaml, and not one more."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from manifests.render import render
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.waiting import eventually

INSTALL = Path(__file__).parents[2] / "manifests" / "install.yaml"
NAME, HOME = "headgate", "headgate"
TARGETS = "headgate-targets"
USER = f"system:serviceaccount:{HOME}:{NAME}"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_PROBE = {"verb": "patch", "group": "gateway.networking.k8s.io", "resource": "httproutes"}
_JOBS_PROBE = {"verb": "create", "group": "batch", "resource": "jobs"}


def install(server: Server) -> Path:
    """Makes the ServiceAccount and the ClusterRole, bound to nothing yet. A kubeconfig with its token."""
    server.send("POST", "/api/v1/namespaces", {"metadata": {"name": HOME}})
    server.send("POST", f"/api/v1/namespaces/{HOME}/serviceaccounts", {"metadata": {"name": NAME}})
    server.send("POST", f"{_RBAC}/clusterroles", _shipped("ClusterRole"))
    return server.plane.kubeconfig_for_service_account(HOME, NAME)


def allow_in(namespace: Namespace, *, also: Sequence[Document] = ()) -> None:
    """The rights in one namespace, as the chart grants them with watch.namespace; ``also``: those for its targets."""
    if also:
        role = {"kind": "Role", "metadata": {"name": TARGETS}, "rules": [*also]}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": TARGETS}
        subjects = [{"kind": "ServiceAccount", "name": NAME, "namespace": HOME}]
        binding = {"kind": "RoleBinding", "metadata": {"name": TARGETS}, "roleRef": ref, "subjects": subjects}
        namespace.create(role)
        namespace.create(binding)
    binding = _shipped("ClusterRoleBinding")
    binding |= {"kind": "RoleBinding", "metadata": {"name": NAME}}
    namespace.create(binding)
    _wait_for_right(namespace.server, _PROBE, allowed=True, namespace=namespace.name)


def allow_jobs_in(namespace: Namespace) -> None:
    """The further rights in one namespace that the chart grants with hooks.jobs."""
    role = _of_kind(render("--set", "hooks.jobs=true"), "ClusterRole")
    rules = [rule for rule in role["rules"] if rule["apiGroups"] == ["batch"]]
    assert rules
    made = {"apiVersion": role["apiVersion"], "kind": "Role", "metadata": {"name": "hooks"}, "rules": rules}
    namespace.create(made)
    binding = _shipped("ClusterRoleBinding")
    reference = {**binding["roleRef"], "kind": "Role", "name": "hooks"}
    namespace.create(binding | {"kind": "RoleBinding", "metadata": {"name": "hooks"}, "roleRef": reference})
    _wait_for_right(namespace.server, _JOBS_PROBE, allowed=True, namespace=namespace.name)


def allow_everywhere(server: Server) -> None:
    """The rights in all namespaces, as manifests/install.yaml grants them."""
    server.send("POST", f"{_RBAC}/clusterrolebindings", _shipped("ClusterRoleBinding"))
    _wait_for_right(server, _PROBE, allowed=True)


def forbid_everywhere(server: Server) -> None:
    """Takes `allow_everywhere` back."""
    name = _shipped("ClusterRoleBinding")["metadata"]["name"]
    server.send("DELETE", f"{_RBAC}/clusterrolebindings/{name}")
    _wait_for_right(server, _PROBE, allowed=False)


def _wait_for_right(server: Server, right: Document, *, allowed: bool, **where: str) -> None:
    """The authorizer hears of a binding a moment after it was made."""
    review = {"spec": {"user": USER, "resourceAttributes": {**right, **where}}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    eventually(lambda: bool(server.send("POST", path, review)["status"]["allowed"]) is allowed)


def _shipped(kind: str) -> Document:
    return _of_kind(INSTALL.read_text(), kind)


def _of_kind(text: str, kind: str) -> Document:
    found = [each for each in yaml.safe_load_all(text) if each and each["kind"] == kind]
    assert len(found) == 1, f"there are {len(found)} of kind {kind}"
    document: Document = found[0]
    return document
