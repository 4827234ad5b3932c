"""ServiceAccounts of a tenant and their rights, and headgate's right to speak as them: as the chart grants it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from manifests.render import render
from tests.integration.cluster import Document, Namespace, Refused
from tests.integration.waiting import eventually

_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/{}"
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
FLAGS: list[Document] = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}]
ROUTES: list[Document] = [
    *FLAGS,
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": ["patch"]},
    {"apiGroups": ["core.openfeature.dev"], "resources": ["featureflags"], "verbs": ["create", "patch"]},
]


def user(namespace: Namespace, account: str) -> str:
    return f"system:serviceaccount:{namespace.name}:{account}"


def grant(namespace: Namespace, account: str, rules: list[Document]) -> None:
    """A ServiceAccount with those rights in its namespace; returns when the API server knows of them."""
    _create(namespace, "/api/v1/namespaces/{}/{}", "serviceaccounts", {"metadata": {"name": account}})
    _create(namespace, _RBAC, "roles", {"metadata": {"name": account}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace.name}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
    _create(namespace, _RBAC, "rolebindings", {"metadata": {"name": account}, "roleRef": role, "subjects": [subject]})
    first = rules[0]
    attributes = {"verb": first["verbs"][0], "group": first["apiGroups"][0], "resource": first["resources"][0]}
    _wait(namespace, {"user": user(namespace, account), "resourceAttributes": attributes})


def revoke(namespace: Namespace, account: str) -> None:
    """Takes `grant` back, but for the account itself."""
    namespace.server.send("DELETE", f"{_RBAC.format(namespace.name, 'rolebindings')}/{account}")
    attributes = {"verb": "patch", "group": "", "resource": "configmaps"}
    _wait(namespace, {"user": user(namespace, account), "resourceAttributes": attributes}, allowed=False)


def let_headgate_speak_as(namespace: Namespace, *accounts: str, constrained: bool = False, **values: object) -> None:
    """What the chart makes of its value `impersonation`, and of others beside it."""
    wanted = {"namespaces": [namespace.name], "serviceAccounts": list(accounts), "constrained": constrained}
    given = {"impersonation": wanted, **values}
    rendered = render(*(word for name in given for word in ("--set-json", f"{name}={json.dumps(given[name])}")))
    for document in yaml.safe_load_all(rendered):
        if document and document["metadata"]["name"] == "headgate-impersonation":
            plural = "roles" if document["kind"] == "Role" else "rolebindings"
            _create(namespace, _RBAC, plural, document)
    verb, group = ("impersonate:serviceaccount", "authentication.k8s.io") if constrained else ("impersonate", "")
    attributes = {"verb": verb, "group": group, "resource": "serviceaccounts", "name": accounts[0]}
    _wait(namespace, {"user": "system:serviceaccount:headgate:headgate", "resourceAttributes": attributes})


def _create(namespace: Namespace, path: str, plural: str, body: Document) -> None:
    try:
        namespace.server.send("POST", path.format(namespace.name, plural), body)
    except Refused as refused:
        if refused.status != 409:
            raise


def _wait(namespace: Namespace, spec: Document, *, allowed: bool = True) -> None:
    review = {"spec": {**spec, "resourceAttributes": {**spec["resourceAttributes"], "namespace": namespace.name}}}
    eventually(lambda: bool(namespace.server.send("POST", _REVIEWS, review)["status"]["allowed"]) is allowed)


@dataclass(frozen=True, slots=True)
class Write:
    """A write of the operator's, with whom it was sent as."""

    acting_as: str
    resource: str
    name: str
    status: int
    groups: frozenset[str]
    """Those of whom it was sent as."""


def writes(namespace: Namespace, start: int) -> list[Write]:
    """What headgate wrote in the namespace since the audit log had that length."""
    return [_write(entry) for entry in _entries(namespace, start) if entry["verb"] in ("create", "patch", "delete")]


def reads(namespace: Namespace, start: int) -> list[Write]:
    """What headgate read in it."""
    return [_write(entry) for entry in _entries(namespace, start) if entry["verb"] in ("get", "list", "watch")]


def _write(entry: dict[str, Any]) -> Write:
    ref = entry["objectRef"]
    somebody = entry.get("impersonatedUser", {})
    resource = "/".join(filter(None, (ref["resource"], ref.get("subresource"))))
    return Write(
        acting_as=somebody.get("username", ""),
        resource=resource,
        name=ref.get("name", ""),
        status=entry.get("responseStatus", {}).get("code", 0),
        groups=frozenset(somebody.get("groups", ())),
    )


def _entries(namespace: Namespace, start: int) -> Iterator[dict[str, Any]]:
    with namespace.server.plane.audit_log.open() as log:
        log.seek(start)
        for line in log:
            entry = json.loads(line)
            mine = entry["user"]["username"] == "system:serviceaccount:headgate:headgate"
            if mine and entry.get("objectRef", {}).get("namespace") == namespace.name:
                yield entry
