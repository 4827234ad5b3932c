"""Keeps what a target held before it is tried, and puts the last good content back into it. Knows no decision."""

import json
from datetime import datetime, timedelta

from headgate.api.rollout_status import AttemptState, RolloutStatus, TargetRef
from headgate.api.target import ObjectReference
from headgate.cluster import shape
from headgate.cluster.json_spelling import is_written_alike
from headgate.cluster.metadata import identity
from headgate.cluster.objects import Conflict, Json, JsonValue, Kind, NotFound, Objects, Revisions, Unavailable
from headgate.cluster.store import Store
from headgate.cluster.target_snapshots import Snapshot, TargetSnapshots, Unfit
from headgate.controller import clock
from headgate.controller.ownership import give_up
from headgate.delivery import field_document, kserve
from headgate.engine.content import Content, content_of
from headgate.engine.decision import Decision, TargetRestore
from headgate.engine.observation import Observation, RolloutView, Unrestored
from headgate.engine.target import LONGEST_PAUSE

_TRIES = 4
_FIRST_RETRY = timedelta(seconds=5)
_READERS_SECONDS = 30.0
"""Restored before KServe has gone back, the fields still bring stable's content back, only later."""


class Targets:
    """The objects that Rollouts release."""

    def __init__(self, store: Store, objects: Revisions) -> None:
        self._store = store
        self._objects = objects
        self._snapshots = TargetSnapshots(objects)
        self._waiting: dict[str, float] = {}
        """Since when a Rollout, by UID, waits for the reader of its weight in the attempt that is being taken back."""

    async def keep(self, seen: Observation, decision: Decision) -> None:
        """Snapshots what becomes stable or a candidate with this decision. Raises ClusterError.

        Raises Unfit when that cannot be, or when an attempt begins and the snapshot that it would be taken back to is
        gone or tampered with.
        """
        view, target, status = seen.rollout, seen.target, decision.status
        if target is None or target.ref is None:
            return
        stable = status.stable
        held = {version.digest for version in (target.version, target.rebased) if version is not None}
        # What was stable may be missed when something is tried, not when a lost status is written again.
        if stable is not None and stable.target is not None and _tries_something(view.status, status, held):
            await self._snapshots.content(view.namespace, stable.version, stable.digest)
        in_use = _digests_in_use(status)
        for version, content, ref in (
            (target.version, target.content, target.ref),
            (target.rebased, target.rebased_content, target.rebased_ref),
        ):
            if version is None or content is None or ref is None or version.digest not in in_use:
                continue
            if self._snapshots.has(view.namespace, version.name, version.digest):
                continue
            snapshot = Snapshot(view.name, version.name, content, ref.uid, target.generation, status.revision)
            await self._snapshots.keep(view.namespace, snapshot)

    async def prune(self, view: RolloutView, status: RolloutStatus) -> None:
        """Once an attempt's end is committed: deletes the oldest snapshots that nobody needs any more, if it can."""
        self._waiting.pop(view.uid, None)
        if status.stable is None or status.stable.target is None:
            return
        rejected = {rejection.digest for rejection in status.rejected}
        limit = view.spec.revision_history_limit if view.spec is not None else 10
        await self._snapshots.prune(view.key, _digests_in_use(status) | rejected, limit)

    async def restore(self, view: RolloutView, version: str, order: TargetRestore, writer: Objects) -> None:
        """Writes exactly the declared fields, and only while all of them still hold the rejected content.

        ``writer`` is as whom the target is written.

        Raises Unfit for a snapshot that is gone or tampered with, and ClusterError.
        """
        kind = self._store.targets.kind_of(order.ref, *order.ref.fields)
        if isinstance(kind, str):
            raise Unfit("TargetNotAllowed", kind)
        good = await self._snapshots.content(view.namespace, version, order.restored_digest)
        for _ in range(_TRIES):
            raw = await self._fetch(kind, view, order.ref)
            if raw is None or content_of(raw, order.ref.fields).digest != order.rejected_digest:
                await self.release(view, order.ref, writer)
                return
            if self._reader_goes_back(raw, view, order):
                raise Unavailable(f"{kind.kind} {order.ref.name}: KServe has not gone back to stable's revision yet")
            _refuse_to_overwrite_what_is_not_declared(f"{kind.kind} {order.ref.name}", raw, good)
            try:
                raw = await writer.json_patch(kind, view.namespace, order.ref.name, _edits(raw, good))
            except Conflict:
                continue
            except NotFound:
                return
            self._store.documents.saw(kind, raw)
            await self._release(kind, view, raw, writer)
            return
        raise Conflict(f"{kind.kind} {order.ref.name}: is written by others all the time; the restore is tried again")

    async def release(self, view: RolloutView, ref: TargetRef, writer: Objects) -> None:
        """Sees to it that headgate owns no field of the target."""
        kind = self._store.targets.kind_of(ref)
        if not isinstance(kind, str) and (raw := await self._fetch(kind, view, ref)) is not None:
            await self._release(kind, view, raw, writer)

    async def _fetch(self, kind: Kind, view: RolloutView, ref: TargetRef) -> Json | None:
        """The very object that is meant, as it is now; None when it is gone, or another has its name."""
        try:
            raw = await self._objects.get(kind, view.namespace, ref.name)
        except NotFound:
            self._store.documents.gone(kind, view.namespace, ref.name)
            return None
        self._store.documents.saw(kind, raw)
        who = identity(raw)
        return raw if who is not None and who.uid == ref.uid else None

    def _reader_goes_back(self, raw: Json, view: RolloutView, order: TargetRestore) -> bool:
        """Whether KServe is about to give everybody back to stable's revision; it is not waited for without end."""
        ref, marks = order.ref, field_document.on(raw)
        own = ObjectReference.model_construct(api_version=ref.api_version, kind=ref.kind, name=ref.name)
        for route in order.waits_for:
            field = route.field
            if field is None or field.target is None or not field.target.is_same(own):
                continue
            known, shown = marks.get((view.name, field.path)), kserve.revisions(raw, field.path)
            if known is not None and kserve.goes_back(shown, known.stable.digest, known.kserve):
                present = clock.monotonic()
                return present - self._waiting.setdefault(view.uid, present) < _READERS_SECONDS
        return False

    async def _release(self, kind: Kind, view: RolloutView, raw: Json, writer: Objects) -> None:
        after = await give_up(kind, view.namespace, raw, self._objects, writer)
        if after is not None:
            self._store.documents.saw(kind, after)


def unrestored(
    before: Unrestored | None,
    attempt: int,
    reason: str,
    message: str,
    now: datetime,
    *,
    account: str | None = None,
    longest: timedelta = LONGEST_PAUSE,
) -> Unrestored:
    """What is remembered of a restore that did not work as that account: the next try comes later each time."""
    again = before is not None and (before.attempt, before.account) == (attempt, account)
    tries = before.tries + 1 if before is not None and again else 1
    pause = min(_FIRST_RETRY * 2 ** min(tries - 1, 10), longest)
    return Unrestored(attempt, reason, message, tries, now + pause, account)


def begins_something(before: RolloutStatus, after: RolloutStatus) -> bool:
    """Whether something becomes stable or a candidate that was neither."""
    return not _digests_in_use(after) <= _digests_in_use(before)


def _tries_something(before: RolloutStatus, after: RolloutStatus, held: set[str]) -> bool:
    """Whether there is a new candidate while the target does not hold what is stable."""
    stable = after.stable.digest if after.stable is not None else ""
    return stable not in held and bool(_digests_in_use(after) - _digests_in_use(before) - {stable})


def _digests_in_use(status: RolloutStatus) -> set[str]:
    digests = {status.stable.digest} if status.stable is not None else set()
    if status.attempt is not None and status.attempt.state is not AttemptState.ENDED:
        digests.add(status.attempt.candidate.digest)
    return digests


def _refuse_to_overwrite_what_is_not_declared(name: str, raw: Json, good: Content) -> None:
    """Raises Unfit where something else than an object stands above a field that is to be put back."""
    for path, text in good.fields:
        if text is not None and (where := field_document.in_the_way(raw, path)) is not None:
            raise Unfit(
                "RestoreRefused",
                f"{name}: {where} holds no object any more, so {path} cannot be put back without overwriting what is"
                " not declared; make it an object, or declare it",
            )


def _edits(raw: Json, good: Content) -> list[dict[str, JsonValue]]:
    """From the rejected content, each part of it tested, to the good one; what is equal in both is only tested."""
    held = dict(content_of(raw, good.paths).fields)
    operations: list[dict[str, JsonValue]] = [{"op": "test", "path": "/metadata/uid", "value": field_document.uid(raw)}]
    values = {path: json.loads(text) for path, text in held.items() if text is not None}
    testable = {path: value for path, value in values.items() if is_written_alike(value)}
    operations += [{"op": "test", "path": _pointer(path), "value": value} for path, value in testable.items()]
    if (generation := shape.mapping(raw.get("metadata")).get("generation")) is not None:
        # A restore that was long on its way must not undo the same content, applied once more since.
        operations.append({"op": "test", "path": "/metadata/generation", "value": generation})
    if len(testable) < len(held):
        # A JSON patch cannot test that something is absent: that nothing at all was written since is as good.
        version = shape.resource_version(raw)
        operations.append({"op": "test", "path": "/metadata/resourceVersion", "value": version})
    made: Json = raw
    for path, text in good.fields:
        if text == held.get(path):
            continue
        if text is None:
            operations.append({"op": "remove", "path": _pointer(path)})
        else:
            added, made = _added(made, path, json.loads(text))
            operations.append(added)
    return operations


def _added(obj: Json, path: str, value: JsonValue) -> tuple[Json, Json]:
    """The operation that puts a value at a path, with what is missing above it; and the object afterwards."""
    parts = path.split(".")
    for depth in range(1, len(parts)):
        if shape.at(obj, *parts[:depth]) is None:
            missing = value
            for name in reversed(parts[depth:]):
                missing = {name: missing}
            operation: Json = {"op": "add", "path": shape.pointer(*parts[:depth]), "value": missing}
            return operation, _with(obj, parts[:depth], missing)
    return {"op": "add", "path": shape.pointer(*parts), "value": value}, _with(obj, parts, value)


def _with(obj: Json, parts: list[str], value: JsonValue) -> Json:
    first, *rest = parts
    inner = obj.get(first)
    return {**obj, first: _with(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def _pointer(path: str) -> str:
    return shape.pointer(*path.split("."))
