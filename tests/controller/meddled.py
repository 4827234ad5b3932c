"""A release that goes on from its beginning while chosen requests fail, whole operators among them, in no time."""

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum, auto

from headgate.cluster.objects import Conflict, Json, JsonValue, Kind, Unavailable
from tests.controller.film import LISTED, Film
from tests.controller.house import House

_PATIENCE = 40
_REST = 3
"""Looks without a request, two seconds apart, after which it is over."""


class Fault(Enum):
    """What becomes of a request."""

    LOST = auto()
    """Not done, and nobody answers."""
    DONE = auto()
    """Done, and nobody answers."""
    CONFLICT = auto()
    """Not done: the server says that somebody else wrote first."""
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    """The operator ends when it was done."""


class Crash(BaseException):
    """The operator is gone in the midst of what it did."""


class Meddled(Film):
    """A cluster whose requests, counted from 0, meet faults."""

    def __init__(self, faults: Mapping[int, Fault]) -> None:
        super().__init__()
        self._faults = faults
        self.asked = 0

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        return await self._met(lambda: super(Meddled, self).get(kind, namespace, name))

    async def create(self, kind: Kind, namespace: str, body: Json) -> Json:
        return await self._met(lambda: super(Meddled, self).create(kind, namespace, body))

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        return await self._met(
            lambda: super(Meddled, self).merge_patch(
                kind, namespace, name, body, resource_version=resource_version, subresource=subresource
            )
        )

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        return await self._met(lambda: super(Meddled, self).json_patch(kind, namespace, name, operations))

    async def _met(self, send: Callable[[], Awaitable[Json]]) -> Json:
        fault = self._faults.get(self.asked)
        self.asked += 1
        match fault:
            case None:
                return await send()
            case Fault.LOST:
                raise Unavailable("no answer")
            case Fault.CONFLICT:
                raise Conflict("somebody else wrote first")
            case Fault.CRASH_BEFORE:
                raise Crash
            case Fault.DONE:
                await send()
                raise Unavailable("no answer")
            case Fault.CRASH_AFTER:
                await send()
                raise Crash


async def goes_on(clean: House, faults: Mapping[int, Fault]) -> tuple[House, int]:
    """What became of a filmed release, gone on with from people's last word in it; and how many requests it took."""
    film = clean.cluster
    assert isinstance(film, Film)
    world = Meddled(faults)
    film.goes_on(film.last_word, world)
    time = film.frames[film.last_word].time
    house = _begun(world, clean)
    house.time = time
    quiet = 0
    for _ in range(_PATIENCE):
        before = world.asked
        try:
            await house.look(2)
        except Crash:
            time = house.time
            house = _begun(world, clean)
            house.time = time
        # What was written is told, as a watch does it; what was only asked is not.
        for (kind, _, _), raw in list(world.objects.items()):
            house.tell(kind, copy.deepcopy(raw))
        quiet = quiet + 1 if world.asked == before else 0
        if quiet == _REST and house.status["phase"] in ("Idle", "RolledBack", "Killed"):
            break
    return house, world.asked


def _begun(world: Meddled, clean: House) -> House:
    """Another operator, in that cluster as it is."""
    house = House(world)
    world.clock = house.now
    house.sources.values = clean.sources.values
    for told in LISTED:
        for (kind, _, _), raw in list(world.objects.items()):
            if kind == told:
                house.tell(kind, copy.deepcopy(raw))
    return house
