"""What targets held, as ControllerRevisions: written before a content is tried, checked before it is put back."""

import json
import logging
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from headgate.cluster.objects import (
    CONTROLLER_REVISION,
    AlreadyExists,
    ClusterError,
    Json,
    NotFound,
    Oversized,
    Revisions,
)
from headgate.engine.content import Content, canonical
from headgate.engine.observation import Key

ROLLOUT_LABEL = "headgate.dev/rollout"
_MANAGED_BY = {"app.kubernetes.io/managed-by": "headgate"}
_REMEMBERED = 20_000
_log = logging.getLogger(__name__)


class Unfit(Exception):
    """A snapshot that cannot be put back; the text says which, why and what to do, in one line."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """As a word: SnapshotGone, SnapshotTampered or SnapshotRefused."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one object held at one moment."""

    rollout: str
    name: str
    """The version's name."""
    content: Content
    uid: str
    generation: int
    revision: int
    """Counts up from snapshot to snapshot of a Rollout."""


class TargetSnapshots:
    """Reads and writes them; what is known to be written is not asked about again."""

    def __init__(self, objects: Revisions) -> None:
        self._objects = objects
        self._known: OrderedDict[tuple[Key, str], None] = OrderedDict()

    def has(self, namespace: str, name: str, digest: str) -> bool:
        """Whether this content is known to be kept under that name."""
        return (Key(namespace, name), digest) in self._known

    async def keep(self, namespace: str, snapshot: Snapshot) -> None:
        """Writes a snapshot, unless the same content is kept already. Raises ClusterError and Unfit."""
        digest = snapshot.content.digest
        for name in _names(snapshot.name, digest):
            try:
                await self._objects.create(CONTROLLER_REVISION, namespace, _body(name, snapshot))
            except AlreadyExists:
                if digest_in(await self._objects.get(CONTROLLER_REVISION, namespace, name)) != digest:
                    continue
            except Oversized as error:
                paths = ", ".join(snapshot.content.paths)
                raise Unfit(
                    "SnapshotRefused",
                    f"what {paths} hold is larger than the API server keeps in ControllerRevision {name} ({error});"
                    " declare less, or make it smaller",
                ) from error
            self._remember(Key(namespace, snapshot.name), digest)
            return
        raise Unfit("SnapshotTampered", f"ControllerRevision {snapshot.name} holds other content; delete it")

    async def content(self, namespace: str, version: str, digest: str) -> Content:
        """The content of that digest. Raises ClusterError, and Unfit when it is gone or is not what was kept."""
        tampered = ""
        for name in _names(version, digest):
            try:
                raw = await self._objects.get(CONTROLLER_REVISION, namespace, name)
            except NotFound:
                continue
            content = _content(raw)
            if content is not None and content.digest == digest:
                return content
            tampered = tampered or name
        # It is written again when the target holds that content again.
        self._known.pop((Key(namespace, version), digest), None)
        if tampered:
            raise Unfit(
                "SnapshotTampered",
                f"ControllerRevision {tampered} does not hold the content of {digest[:19]}, so nothing is put back from"
                " it; put the last good fields back into the target by hand",
            )
        raise Unfit(
            "SnapshotGone",
            f"ControllerRevision {version} is gone, so nothing is put back from it;"
            " put the last good fields back into the target by hand",
        )

    async def prune(self, rollout: Key, kept: Collection[str], limit: int) -> None:
        """Deletes the oldest beyond ``limit`` of those whose digests are not to be kept. What fails waits."""
        try:
            found = await self._objects.labelled(
                CONTROLLER_REVISION, rollout.namespace, f"{ROLLOUT_LABEL}={rollout.name}"
            )
            # What is no snapshot is not ours to delete, whatever its labels say.
            spare = [raw for raw in found if _content(raw) is not None and digest_in(raw) not in kept]
            for raw in sorted(spare, key=_revision, reverse=True)[limit:]:
                metadata = raw.get("metadata")
                named = metadata if isinstance(metadata, dict) else {}
                name, uid = str(named.get("name")), str(named.get("uid"))
                await self._objects.delete(CONTROLLER_REVISION, rollout.namespace, name, uid)
                self._known.pop((Key(rollout.namespace, name), digest_in(raw) or ""), None)
        except ClusterError as error:
            _log.warning("%s: old snapshots stay for now: %s", rollout, error)

    def _remember(self, key: Key, digest: str) -> None:
        self._known[key, digest] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _names(version: str, digest: str) -> tuple[str, str]:
    """The version's name, and one with the whole digest for when another content has that name."""
    return version, f"{version}-{digest.removeprefix('sha256:')}"


def _body(name: str, snapshot: Snapshot) -> Json:
    held = snapshot.content.fields
    fields: Json = {path: {"absent": True} if text is None else {"value": json.loads(text)} for path, text in held}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": name, "labels": {ROLLOUT_LABEL: snapshot.rollout, **_MANAGED_BY}},
        "revision": snapshot.revision,
        "data": {
            "fields": fields,
            "digest": snapshot.content.digest,
            "uid": snapshot.uid,
            "generation": snapshot.generation,
        },
    }


def _content(raw: Json) -> Content | None:
    """The content of a snapshot; None where it is none, or not the one that it claims to be."""
    data = raw.get("data")
    fields = data.get("fields") if isinstance(data, dict) else None
    if not isinstance(fields, dict):
        return None
    read: list[tuple[str, str | None]] = []
    for path, entry in sorted(fields.items()):
        if not isinstance(entry, dict):
            return None
        read.append((path, canonical(entry["value"]) if "value" in entry else None))
    content = Content(tuple(read))
    return content if isinstance(data, dict) and data.get("digest") == content.digest else None


def digest_in(raw: Json) -> str | None:
    """The digest of what a ControllerRevision holds; None where it is no snapshot, or not what it claims to be."""
    content = _content(raw)
    return content.digest if content is not None else None


def _revision(raw: Json) -> int:
    revision = raw.get("revision")
    return revision if isinstance(revision, int) else 0
