"""Writes an object that several Rollouts share: what waits for one write goes into the next one together."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakValueDictionary

from headgate.cluster import shape
from headgate.cluster.objects import (
    CONFIG_MAP,
    WATCH_LABEL,
    ClusterError,
    Conflict,
    Json,
    Kind,
    NotFound,
    Refused,
    Unavailable,
)
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Fenced, Unusable

Change: TypeAlias = Callable[[Json | None], Json]
"""A pure change of an object, None when it does not exist. Raises Fenced or Unusable; never alters what it is given."""

Write: TypeAlias = Callable[[NamespaceObjects, Json | None, Json], Awaitable[Json]]
"""Brings an object of the namespace from what was seen (None: create it) to what is wanted, under a precondition."""


@dataclass(eq=False, slots=True)
class _Waiting:
    change: Change
    around: NamespaceObjects
    """As whom it is written."""
    outcome: Json | Exception | None = None


class SharedObject:
    """One object of the cluster, as the routers that live in it change it."""

    def __init__(self, around: NamespaceObjects, kind: Kind, name: str, write: Write) -> None:
        self._around = around
        self._kind = kind
        self._name = name
        self._write = write
        self._lock = asyncio.Lock()
        self._queue: list[_Waiting] = []

    def seen(self) -> Json | None:
        """The object as it was last seen."""
        return self._around.seen(self._kind, self._name)

    async def fetch(self) -> Json | None:
        """The object as it is now; None when it does not exist. Raises ClusterError."""
        return await self._around.fetch(self._kind, self._name)

    async def change(self, change: Change, around: NamespaceObjects) -> None:
        """Makes the change, with whatever else is waiting. Raises what the change raises, and ClusterError.

        It is written by the objects of ``around``, and together with those alone that are written by the same: nobody's
        change rides on the rights of another.
        """
        waiting = _Waiting(change, around)
        self._queue.append(waiting)
        try:
            async with self._lock:
                if waiting.outcome is None:
                    batch, self._queue = self._queue, []
                    await self._write_all(batch)
        except asyncio.CancelledError:
            # What nobody waits for any more is not to be written later by somebody else.
            with suppress(ValueError):
                self._queue.remove(waiting)
            raise
        if isinstance(waiting.outcome, Exception):
            raise waiting.outcome

    def _is_watched(self, obj: Json) -> bool:
        """Whether changes are told of: a ConfigMap's are not before headgate has labelled it."""
        return self._kind != CONFIG_MAP or shape.at(obj, "metadata", "labels", WATCH_LABEL) == "true"

    async def _write_all(self, batch: list[_Waiting]) -> None:
        try:
            for together in _by_writer(batch):
                await self._write_together(together)
        finally:
            _settle(batch, Unavailable(f"{self._kind.kind} {self._name}: the write was interrupted"))

    async def _write_together(self, batch: list[_Waiting]) -> None:
        try:
            before = self.seen()
            if before is None or not self._is_watched(before):
                before = await self.fetch()
            after, accepted = _changed(before, batch)
            if accepted and after != before and after is not None:
                after = await self._write(batch[0].around, before, after)
                self._around.documents.saw(self._kind, after)
            _settle(accepted, after or {})
        except Conflict as conflict:
            await self._look_again(batch, conflict)
        except Refused as refusal:
            await self._one_by_one(batch, refusal)
        except NotFound as error:
            self._around.documents.gone(self._kind, self._around.namespace, self._name)
            _settle(batch, error)
        except (ClusterError, Unusable) as error:
            _settle(batch, error)

    async def _look_again(self, batch: list[_Waiting], conflict: Conflict) -> None:
        """Somebody else wrote: those whom they fence off are told so, the others shall read their Rollout again."""
        with suppress(ClusterError):
            now = await self.fetch()
            for waiting in _unsettled(batch):
                try:
                    waiting.change(now)
                except (Fenced, Unusable) as refusal:
                    waiting.outcome = refusal
        _settle(batch, conflict)

    async def _one_by_one(self, batch: list[_Waiting], refusal: Refused) -> None:
        """What the server will not have from one of them must not hold up the others."""
        unsettled = _unsettled(batch)
        if len(unsettled) == 1:
            _settle(unsettled, refusal)
        for waiting in unsettled:
            if waiting.outcome is None:
                await self._write_together([waiting])


class SharedObjects:
    """Hands out the one SharedObject of each object, for as long as some router holds it."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[int, Kind, str, str], SharedObject] = WeakValueDictionary()

    def of(self, around: NamespaceObjects, kind: Kind, name: str, write: Write) -> SharedObject:
        """The one that is shared by everybody who has the same ``documents``."""
        key = (id(around.documents), kind, around.namespace, name)
        shared = self._known.get(key)
        if shared is None:
            shared = self._known[key] = SharedObject(around, kind, name, write)
        return shared


def _changed(before: Json | None, batch: list[_Waiting]) -> tuple[Json | None, list[_Waiting]]:
    after, accepted = before, []
    for waiting in _unsettled(batch):
        try:
            after = waiting.change(after)
        except (Fenced, Unusable) as refusal:
            waiting.outcome = refusal
        else:
            accepted.append(waiting)
    return after, accepted


def _by_writer(batch: list[_Waiting]) -> list[list[_Waiting]]:
    """Those that are written by the same objects, together."""
    groups: dict[int, list[_Waiting]] = {}
    for waiting in batch:
        groups.setdefault(id(waiting.around.objects), []).append(waiting)
    return list(groups.values())


def _unsettled(batch: list[_Waiting]) -> list[_Waiting]:
    return [waiting for waiting in batch if waiting.outcome is None]


def _settle(batch: list[_Waiting], outcome: Json | Exception) -> None:
    for waiting in _unsettled(batch):
        waiting.outcome = outcome
