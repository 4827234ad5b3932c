"""Writes a backup into a cluster: what keeps Rollouts safe first, then they and their statuses. Deletes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from headgate.api.rollout_status import HookState
from headgate.cli.backup.archive import KINDS, Archive, Saved
from headgate.cli.backup.collecting import Collecting
from headgate.cli.backup.records import with_records
from headgate.cli.failures import CommandError
from headgate.cli.options import DryRun
from headgate.cluster.client import Client
from headgate.cluster.metadata import identity
from headgate.cluster.objects import (
    CONFIG_MAP,
    FIELD_MANAGER,
    ROLLOUT,
    AlreadyExists,
    Conflict,
    Json,
    JsonValue,
    NotFound,
)
from headgate.cluster.snapshots import snapshot_in
from headgate.cluster.store import Store
from headgate.cluster.views import rollout_view
from headgate.engine.observation import Key
from headgate.engine.plan import Record

# Not its owners: they have other UIDs now, and what belongs to nobody is collected as garbage.
_KEPT = ("name", "namespace", "labels", "annotations")
_TRIES = 5
_SHOWN = 5
_Identity: TypeAlias = tuple[str, Key]
_A_SECOND = 1.05


@dataclass(slots=True)
class Restored:
    """What was done."""

    created: int = 0
    there: int = 0
    """Objects that were there already, with the very content."""
    by_record: list[str] = field(default_factory=list)
    """Rollouts whose status was left to the operator: it makes one from the record, which exposes nobody."""


class Restoring:
    """One restore."""

    def __init__(self, client: Client, archive: Archive, dry_run: DryRun = DryRun.NONE) -> None:
        self._client = client
        self._archive = archive = with_records(archive)
        self._dry_run = dry_run
        self._done = Restored()
        self._records = _records(archive)
        self._claimants = _claimants(archive)

    async def restore(self) -> Restored:
        """Writes what is missing, or in a dry run finds out what that would be.

        Raises CommandError before any write when something else is there, ClusterError.
        """
        there = await self._refuse_others()
        for each in sorted(self._archive.objects, key=_order):
            if self._dry_run is not DryRun.CLIENT:
                await self._restore_one(each)
            elif _identity(each) in there:
                self._done.there += 1
            else:
                self._done.created += 1
        return self._done

    async def _refuse_others(self) -> Mapping[_Identity, Saved]:
        """What is there already, with the very content. Raises CommandError for other content."""
        there: dict[_Identity, Saved] = {}
        for namespace in sorted({each.namespace for each in self._archive.objects}):
            for seen in (await Collecting(self._client, namespace).archive()).objects:
                there[_identity(seen)] = seen
        other = [
            str(each)
            for each in self._archive.objects
            if (known := there.get(_identity(each))) is not None and not _same(known.content, each.content)
        ]
        if other:
            more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
            raise CommandError(
                f"nothing was restored: {', '.join(other[:_SHOWN])}{more} exist with other content; delete them first"
            )
        return there

    async def _restore_one(self, each: Saved) -> None:
        dry_run = self._dry_run is DryRun.SERVER
        if each in self._claimants and not dry_run:
            # Creation is told in whole seconds: within one of them the younger could become the older.
            await asyncio.sleep(_A_SECOND)
        try:
            raw = await self._client.create(each.kind, each.namespace, _body(each), dry_run=dry_run)
        except AlreadyExists:
            there = await self._client.get(each.kind, each.namespace, each.name)
            if not _same(there, each.content):
                raise CommandError(f"{each} came into being meanwhile, with other content; stop the operator") from None
            self._done.there += 1
            if not dry_run:
                await self._complete(each, there)
            return
        except NotFound as error:
            raise CommandError(f"{each}: {error}; create the namespace, and install headgate's CRDs") from error
        self._done.created += 1
        if dry_run:
            return
        raw = await self._restore_status(each, raw)
        await self._restore_owners(each, raw)

    async def _complete(self, each: Saved, there: Json) -> None:
        """Does what a restore left undone that was interrupted between an object and its status or its owners."""
        if not there.get("status"):
            there = await self._restore_status(each, there)
        owners = _metadata(there).get("managedFields")
        if isinstance(owners, list) and _managers(owners) <= {FIELD_MANAGER}:
            await self._restore_owners(each, there)

    async def _restore_status(self, each: Saved, raw: Json) -> Json:
        status = each.content.get("status")
        if not isinstance(status, dict) or not status:
            return raw
        if each.kind == ROLLOUT and self._is_behind_its_record(each):
            self._done.by_record.append(str(each))
            return raw
        body: Json = {"status": _without_hooks_to_run(_renumbered(status, each.content, raw))}
        try:
            return await self._client.merge_patch(
                each.kind, each.namespace, each.name, body, resource_version=_version(raw), subresource="status"
            )
        except Conflict:
            # A running operator was faster. It decides from the record, and has exposed nobody.
            if each.kind == ROLLOUT:
                self._done.by_record.append(str(each))
            return raw

    def _is_behind_its_record(self, each: Saved) -> bool:
        view, record = rollout_view(each.content), self._records.get(Key(each.namespace, each.name))
        return view is not None and record is not None and record.revision > view.status.revision

    async def _restore_owners(self, each: Saved, raw: Json) -> None:
        """Who manages which field is as it was, so that the next server-side apply needs no force."""
        owners = _metadata(each.content).get("managedFields")
        if not isinstance(owners, list) or _managers(owners) <= {FIELD_MANAGER}:
            return
        for _ in range(_TRIES):
            body: Json = {"metadata": {"managedFields": owners}}
            try:
                await self._client.merge_patch(
                    each.kind, each.namespace, each.name, body, resource_version=_version(raw)
                )
            except Conflict:
                raw = await self._client.get(each.kind, each.namespace, each.name)
            else:
                return
        raise Conflict(f"{each}: somebody writes it all the time; its managedFields were not restored")


def _identity(each: Saved) -> _Identity:
    return each.kind.kind, Key(each.namespace, each.name)


def _order(each: Saved) -> tuple[int, str, str]:
    # Of two Rollouts that claim a thing the older has it.
    metadata = _metadata(each.content)
    return KINDS.index(each.kind), str(metadata.get("creationTimestamp", "")), str(metadata.get("uid", ""))


def _claimants(archive: Archive) -> Sequence[Saved]:
    """The Rollouts that name a router or a target which an older one has."""
    store = Store()
    found = [(each, store.saw_rollout(each.content)) for each in archive.objects if each.kind == ROLLOUT]
    return [
        each
        for each, view in found
        if view is not None and view.spec is not None and store.claimed_by(view, view.spec.routes())
    ]


def _body(each: Saved) -> Json:
    rest: Json = {name: value for name, value in each.content.items() if name not in ("metadata", "status")}
    metadata = _metadata(each.content)
    return {**rest, "metadata": {name: metadata[name] for name in _KEPT if name in metadata}}


def _same(there: Json, wanted: Json) -> bool:
    """Whether everything but the metadata and the status is equal."""

    def essence(raw: Json) -> Mapping[str, JsonValue]:
        return {name: value for name, value in raw.items() if name not in ("apiVersion", "kind", "metadata", "status")}

    return essence(there) == essence(wanted)


def _renumbered(status: Json, before: Json, after: Json) -> Json:
    """The status as one of the new object's generation, where it was one of the old object's."""
    old, new = identity(before), identity(after)
    if old is None or new is None:
        return status

    def number(seen: JsonValue) -> int:
        return new.generation if seen == old.generation else 0

    conditions = status.get("conditions")
    renumbered: Json = {**status}
    if "observedGeneration" in status:
        renumbered["observedGeneration"] = number(status["observedGeneration"])
    if isinstance(conditions, list):
        renumbered["conditions"] = [
            {**each, "observedGeneration": number(each["observedGeneration"])}
            if isinstance(each, dict) and "observedGeneration" in each
            else each
            for each in conditions
        ]
    return renumbered


def _without_hooks_to_run(status: Json) -> Json:
    """Nothing is called because of a revert that was elsewhere, or long ago: hooks that had ended stay on record."""
    after = status.get("after")
    if not isinstance(after, list):
        return status
    pending = HookState.PENDING.value
    return {**status, "after": [each for each in after if not isinstance(each, dict) or each.get("state") != pending]}


def _records(archive: Archive) -> Mapping[Key, Record]:
    found = {}
    for each in archive.objects:
        snapshot = snapshot_in(each.content) if each.kind == CONFIG_MAP else None
        if isinstance(snapshot, Record):
            found[Key(each.namespace, each.name.removesuffix("-record"))] = snapshot
    return found


def _managers(owners: Sequence[JsonValue]) -> set[str]:
    return {str(entry.get("manager")) for entry in owners if isinstance(entry, dict)}


def _metadata(raw: Json) -> Json:
    metadata = raw.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _version(raw: Json) -> str:
    return str(_metadata(raw).get("resourceVersion", ""))
