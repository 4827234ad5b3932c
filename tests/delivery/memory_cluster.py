"""Objects in memory with the API server's rules of resourceVersions, for faults that a real one won't produce."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from itertools import count
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from headgate.cluster.documents import SeenDocuments
from headgate.cluster.objects import AlreadyExists, Conflict, Forbidden, Json, JsonValue, Kind, NotFound, Revisions

Key = tuple[Kind, str, str]
Document: TypeAlias = dict[str, Any]


class MemoryCluster:
    """The Objects protocol. Every request is written down, and ``before_write`` may interfere just before a write."""

    def __init__(self, *absent: Kind) -> None:
        self.absent = absent
        self.objects: dict[Key, Json] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.before_write: Callable[[], None] | None = None
        self.refuse: Callable[[Json], Exception | None] = lambda _body: None
        self.documents = SeenDocuments()
        self.forbidden: Callable[[str, Kind], str | None] = lambda _account, _kind: None
        """The server's words for why an account may not write a kind."""
        self.by_account: list[tuple[str, str, str, str]] = []
        """The writes that were sent as somebody else: account, verb, kind and name."""
        self._accounts: WeakValueDictionary[str, _Acting] = WeakValueDictionary()
        self._versions = count(101)

    def peer(self) -> "MemoryCluster":
        """Another process's view of the same objects: it has seen nothing yet."""
        other = MemoryCluster(*self.absent)
        other.share(self)
        return other

    def share(self, other: "MemoryCluster") -> None:
        """Serves the other's objects."""
        self.objects, self._versions = other.objects, other._versions

    def put(self, kind: Kind, obj: Json) -> Json:
        """Somebody else's write, which no watch has told of yet."""
        return self._store(kind, deepcopy(obj))

    def at(self, kind: Kind, name: str) -> Document:
        """What the API server has."""
        return deepcopy(self.objects[kind, "ai", name])

    def watch(self, kind: Kind, name: str) -> None:
        """The watch catches up."""
        self.documents.watched(kind, self.at(kind, name), deleted=False)

    @property
    def writes(self) -> list[tuple[str, str, str]]:
        return [request for request in self.requests if request[0] != "get"]

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        self.requests.append(("get", kind.kind, name))
        await asyncio.sleep(0)
        return deepcopy(self._found(kind, namespace, name))

    async def create(self, kind: Kind, namespace: str, body: Json) -> Json:
        name = str(_metadata(body)["name"])
        await self._about_to_write("create", kind, name)
        if kind in self.absent:
            raise NotFound(f"{kind.plural}: the server serves no such kind")
        if (kind, namespace, name) in self.objects:
            raise AlreadyExists(f"{kind.kind} {name}: there already")
        return self._store(kind, deepcopy(body))

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        assert not subresource
        await self._about_to_write("patch", kind, name)
        found = deepcopy(self._found(kind, namespace, name))
        if _metadata(found)["resourceVersion"] != resource_version:
            raise Conflict(f"{kind.kind} {name}: changed")
        patched = _merged(found, body)
        assert isinstance(patched, dict)
        if (refusal := self.refuse(patched)) is not None:
            raise refusal
        return self._store(kind, patched)

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        await self._about_to_write("patch", kind, name)
        found = deepcopy(self._found(kind, namespace, name))
        for operation in operations:
            _apply(found, operation)
        return self._store(kind, found)

    async def labelled(self, kind: Kind, namespace: str, label_selector: str) -> list[Json]:
        self.requests.append(("list", kind.kind, label_selector))
        name, _, value = label_selector.partition("=")
        labels = [(obj, _metadata(obj).get("labels")) for (found, _, _), obj in self.objects.items() if found == kind]
        return [deepcopy(obj) for obj, given in labels if isinstance(given, dict) and given.get(name) == value]

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        await self._about_to_write("delete", kind, name)
        if _metadata(self._found(kind, namespace, name)).get("uid") != uid:
            raise Conflict(f"{kind.kind} {name}: another one")
        del self.objects[kind, namespace, name]

    def acting_as(self, namespace: str, service_account: str) -> Revisions:
        account = f"{namespace}/{service_account}"
        acting = self._accounts.get(account)
        if acting is None:
            acting = self._accounts[account] = _Acting(self, account)
        return acting

    async def _about_to_write(self, verb: str, kind: Kind, name: str) -> None:
        self.requests.append((verb, kind.kind, name))
        await asyncio.sleep(0)
        if self.before_write is not None:
            interfere, self.before_write = self.before_write, None
            interfere()

    def _found(self, kind: Kind, namespace: str, name: str) -> Json:
        try:
            return self.objects[kind, namespace, name]
        except KeyError:
            raise NotFound(f"{kind.kind} {name}: not there") from None

    def _store(self, kind: Kind, obj: Json) -> Json:
        metadata = _metadata(obj)
        key = (kind, "ai", str(metadata["name"]))
        before = self.objects.get(key)
        if before != obj:
            obj["metadata"] = {
                "uid": "u",
                "namespace": "ai",
                **metadata,
                **_generation(before, obj),
                "resourceVersion": str(next(self._versions)),
            }
        self.objects[key] = obj
        return deepcopy(obj)


class _Acting:
    """The same objects, written as an account; reads are the operator's own."""

    def __init__(self, cluster: MemoryCluster, account: str) -> None:
        self._cluster = cluster
        self._account = account
        self.get, self.labelled = cluster.get, cluster.labelled

    async def create(self, kind: Kind, namespace: str, body: Json) -> Json:
        self._write("create", kind, str(_metadata(body)["name"]))
        return await self._cluster.create(kind, namespace, body)

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        self._write("patch", kind, name)
        return await self._cluster.merge_patch(
            kind, namespace, name, body, resource_version=resource_version, subresource=subresource
        )

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        self._write("patch", kind, name)
        return await self._cluster.json_patch(kind, namespace, name, operations)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        self._write("delete", kind, name)
        await self._cluster.delete(kind, namespace, name, uid)

    def _write(self, verb: str, kind: Kind, name: str) -> None:
        words = self._cluster.forbidden(self._account, kind)
        if words is not None:
            self._cluster.requests.append(("forbidden", kind.kind, name))
            raise Forbidden(words)
        self._cluster.by_account.append((self._account, verb, kind.kind, name))


def _metadata(obj: Json) -> Json:
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    return metadata


def _generation(before: Json | None, obj: Json) -> Json:
    """One more with each change of the spec, as the API server counts."""
    if before is None or before.get("spec") == obj.get("spec"):
        return {}
    known = _metadata(before).get("generation")
    return {"generation": known + 1} if isinstance(known, int) else {}


def _merged(target: JsonValue, patch: JsonValue) -> JsonValue:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _apply(target: Json, operation: Mapping[str, JsonValue]) -> None:
    """RFC 6902, as far as headgate uses it."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in str(operation["path"])[1:].split("/")]
    here: JsonValue = target
    for part in parents:
        here = here[int(part)] if isinstance(here, list) else here[part] if isinstance(here, dict) else None
    match operation["op"], here:
        case "test", dict():
            if here.get(last) != operation["value"]:
                raise Conflict(f"{operation['path']}: changed")
        case (("add" | "replace"), dict()):
            here[last] = operation["value"]
        case "remove", dict():
            del here[last]
        case "add", list():
            here.insert(len(here) if last == "-" else int(last), operation["value"])
        case "replace", list():
            here[int(last)] = operation["value"]
        case "remove", list():
            del here[int(last)]
        case unknown:
            raise AssertionError(unknown)
