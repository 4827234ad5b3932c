"""A release filmed write by write, and operators that begin in one frame of it with the lists of an earlier one."""

import copy
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, QUALITY_GATE, ROLLOUT, Json, Kind
from tests.controller.house import Cluster, House

LISTED = (PROMPT_VERSION, QUALITY_GATE, CONFIG_MAP, ROLLOUT)
_SETTLED = 12
"""Looks after which a release of a few seconds has ended; each is two seconds after the one before."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything in the cluster just after a write, and when that was."""

    objects: dict[tuple[Kind, str, str], Json]
    time: datetime

    @property
    def rollout(self) -> dict[str, Any]:
        found: Any = self.objects.get((ROLLOUT, "ai", "reply"), {})
        return dict(found)

    @property
    def phase(self) -> str:
        return str(self.rollout.get("status", {}).get("phase", ""))

    @property
    def weight(self) -> int | None:
        """The share of the candidate that the flag shows; None while there is no flag."""
        document: Any = self.objects.get((CONFIG_MAP, "ai", "reply-flags"))
        if document is None:
            return None
        flag = json.loads(document["data"]["flags.json"])["flags"]["reply"]
        return int(flag["metadata"]["headgate.dev/weight"])


class Film(Cluster):
    """A cluster that keeps a frame of each write."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.last_word = 0
        """The frame of the last write that was not the operator's."""
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)

    def put(self, kind: Kind, obj: Json) -> Json:
        answer = super().put(kind, obj)
        self.last_word = len(self.frames) - 1
        return answer

    def _store(self, kind: Kind, obj: Json) -> Json:
        answer = super()._store(kind, obj)
        # What is stored is replaced and never changed, so a frame need not copy it.
        self.frames.append(Frame(dict(self.objects), self.clock()))
        return answer

    def goes_on(self, frame: int, other: "Film | None" = None) -> "Film":
        """Another cluster that is as this one was then, with the frames up to there."""
        other = other if other is not None else Film()
        other.frames = self.frames[: frame + 1]
        other.objects = dict(self.frames[frame].objects)
        other._versions = count(1_000_000)
        return other


def filmed() -> House:
    """An operator in a cluster that is filmed."""
    film = Film()
    house = House(film)
    film.clock = house.now
    return house


async def begun_late(
    house: House, stale: int, true: int, kinds: Collection[Kind] = LISTED, *, later: float = 0.0
) -> House:
    """An operator that begins in the frame ``true``, told by its lists what was so in ``stale`` for those kinds.

    It begins so many seconds ``later``, looks for a while, is told the truth at last by its watches, and looks until
    all is over.
    """
    film = house.cluster
    assert isinstance(film, Film)
    world = film.goes_on(true)
    late = House(world)
    world.clock = late.now
    late.time = film.frames[true].time + timedelta(seconds=later)
    late.sources.values = house.sources.values
    for told in LISTED:
        frame = film.frames[stale if told in kinds else true]
        for (kind, _, _), raw in frame.objects.items():
            if kind == told:
                late.tell(kind, copy.deepcopy(raw))
    for _ in range(2):
        await late.look(2)
    for (kind, _, _), raw in list(world.objects.items()):
        late.tell(kind, copy.deepcopy(raw))
    for _ in range(_SETTLED):
        await late.look(2)
    return late


def weights(house: House) -> list[int]:
    """The weights that the flag went through, each once as long as it lasted."""
    assert isinstance(house.cluster, Film)
    passed: list[int] = []
    for frame in house.cluster.frames:
        if frame.weight is not None and passed[-1:] != [frame.weight]:
            passed.append(frame.weight)
    return passed


def steps(house: House) -> list[tuple[int, int]]:
    """The attempts and steps that the status went through, each once as long as it lasted."""
    assert isinstance(house.cluster, Film)
    passed: list[tuple[int, int]] = []
    for frame in house.cluster.frames:
        attempt = frame.rollout.get("status", {}).get("attempt", {})
        if "step" in attempt and passed[-1:] != [(attempt["number"], attempt["step"]["index"])]:
            passed.append((attempt["number"], attempt["step"]["index"]))
    return passed


def end(house: House) -> dict[str, Any]:
    """What remains of it, without when."""
    status = house.status
    record = json.loads(house.cluster.at(CONFIG_MAP, "reply-record")["data"]["record.json"])
    return {
        "phase": status["phase"],
        "weight": status["weight"],
        "stable": status["stable"],
        "spec": house.rollout["spec"]["prompt"]["version"],
        "rejected": [each["version"] for each in status.get("rejected", [])],
        "history": [(each["number"], each["version"], each["outcome"]) for each in status["history"]],
        "recorded": (record["stable"], [each["version"] for each in record["rejected"]]),
        "weights": weights(house),
        "steps": steps(house),
    }
