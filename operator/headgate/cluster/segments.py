"""What may stand in a URL: names that the API server itself would accept, and nothing that changes the path."""

import re

from headgate.cluster.objects import Kind, Refused

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,251}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SUBRESOURCES = frozenset({"", "status"})


def is_namespace(name: str) -> bool:
    """Whether a namespace can have that name."""
    return _LABEL.fullmatch(name) is not None


def is_object_name(name: str) -> bool:
    """Whether an object can have that name."""
    return len(name) <= 253 and _NAME.fullmatch(name) is not None


def group_path(group: str, version: str) -> str:
    """The path under which the API server tells what it serves of a group. Raises Refused for what is no group."""
    if not _NAME.fullmatch(group) or not _LABEL.fullmatch(version):
        raise Refused(f"{group[:80]}/{version[:80]} is not a group and a version")
    return f"/apis/{group}/{version}"


def collection_path(kind: Kind, namespace: str | None) -> str:
    """The path of a kind's objects, in one namespace or in all. Raises Refused for what is no namespace's name."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    if namespace is None:
        return f"{root}/{kind.plural}"
    if not is_namespace(namespace):
        raise Refused(f"{kind.kind}: {namespace[:80]!r} is not a namespace's name")
    return f"{root}/namespaces/{namespace}/{kind.plural}"


def object_path(kind: Kind, namespace: str, name: str, subresource: str = "") -> str:
    """The path of one object. Raises Refused for what is no object's name (``..``, ``%2e``, ``/``, ``#``, ``?``)."""
    if not is_object_name(name):
        raise Refused(f"{kind.kind}: {name[:80]!r} is not an object's name")
    if subresource not in _SUBRESOURCES:
        raise Refused(f"{kind.kind}: {subresource[:80]!r} is not a subresource that headgate writes")
    path = f"{collection_path(kind, namespace)}/{name}"
    return f"{path}/{subresource}" if subresource else path
