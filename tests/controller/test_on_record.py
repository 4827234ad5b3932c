"""What is on record when a Rollout is deleted and applied again: a rejected version reaches nobody by that."""

import json
from collections.abc import Awaitable, Callable, Collection
from copy import deepcopy

import pytest

from headgate.cluster import shape
from headgate.cluster.metadata import identity
from headgate.cluster.objects import CONFIG_MAP, ROLLOUT, Json, Kind
from headgate.controller.news import News
from tests.controller import documents
from tests.controller.courses import COURSES, STEPS, aborted
from tests.controller.film import LISTED, Film, weights
from tests.controller.house import REPLY, House


def film_of(house: House) -> Film:
    assert isinstance(house.cluster, Film)
    return house.cluster


def begun(world: Film, stale: int = -1, kinds: Collection[Kind] = LISTED) -> House:
    """An operator that begins where the world ends, told by its lists what was so in ``stale`` for those kinds."""
    late = House(world)
    world.clock, late.time = late.now, world.frames[-1].time
    for told in LISTED:
        frame = world.frames[stale if told in kinds else -1]
        for (kind, _, _), raw in frame.objects.items():
            if kind == told:
                late.tell(kind, deepcopy(raw))
    return late


async def settled(house: House) -> House:
    for _ in range(4):
        await house.look(2)
    return house


async def applied_again_while_nobody_looked(world: Film, version: str) -> House:
    """The operator died; the Rollout was deleted and applied again with that version; another operator begins."""
    del world.objects[ROLLOUT, "ai", "reply"]
    world.put(ROLLOUT, documents.rollout(version, steps=STEPS))
    return await settled(begun(world))


def stalled(house: House) -> str:
    """Why the Rollout waits for a person."""
    return next(str(known["reason"]) for known in house.status["conditions"] if known["type"] == "Stalled")


async def test_a_rejection_is_on_record_in_the_very_look_that_takes_everybody_back() -> None:
    film = film_of(await aborted())
    house = begun(film.goes_on(film.last_word))
    await house.reconcile.look(REPLY)
    assert (house.status["phase"], weights(house)) == ("RollingBack", [0, 10, 50, 0])
    late = await applied_again_while_nobody_looked(film_of(house), "v2")
    assert (stalled(late), weights(late)) == ("Rejected", [0, 10, 50, 0])


def record(house: House) -> tuple[str, list[tuple[str, str]]]:
    """The stable version and each rejected one with why, by the record."""
    kept = json.loads(house.cluster.at(CONFIG_MAP, "reply-record")["data"]["record.json"])
    return kept["stable"]["version"], [(each["version"], each["reason"]) for each in kept["rejected"]]


def stable_shown(house: House) -> str:
    return str(json.loads(house.flags())["flags"]["reply"]["metadata"]["headgate.dev/stable"])


def tell_of_deletion(house: House, last: Json) -> None:
    """The watch goes on, and its next word is the deletion."""
    News(house.store, house.reconcile.depart).deleted(ROLLOUT, last)


def tell_that_it_is_missing(house: House, last: Json) -> None:
    """The watch was expired, and the next list has no such Rollout."""
    who = identity(last)
    assert who is not None
    News(house.store, house.reconcile.depart).missing(ROLLOUT, who.key, who.version)


@pytest.mark.parametrize("kinds", [LISTED, (ROLLOUT,)], ids=["everything", "Rollouts"])
@pytest.mark.parametrize("tell", [tell_of_deletion, tell_that_it_is_missing])
@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.__name__)
async def test_a_rollout_deleted_before_its_news_arrived_leaves_the_record_and_the_flag_as_they_were(
    course: Callable[[], Awaitable[House]], tell: Callable[[House, Json], None], kinds: Collection[Kind]
) -> None:
    film = film_of(await course())
    for stale, frame in enumerate(film.frames):
        if "stable" not in frame.rollout.get("status", {}):
            continue
        house = begun(film.goes_on(len(film.frames) - 1), stale, kinds)
        before = record(house), stable_shown(house)
        last = house.cluster.objects.pop((ROLLOUT, "ai", "reply"))
        metadata = {**shape.mapping(last["metadata"]), "resourceVersion": "2000000"}
        tell(house, {**deepcopy(last), "metadata": metadata})
        await settled(house)
        assert (record(house), stable_shown(house)) == before, f"the Rollout of frame {stale}, {frame.phase}"
        assert weights(house)[-1] == 0


async def test_the_last_state_that_a_deletion_tells_counts_though_nobody_was_told_of_it_before() -> None:
    film = film_of(await aborted())
    # The way back was committed, and then the operator died: neither the flag nor the record knows of it.
    committed = next(at for at, frame in enumerate(film.frames) if frame.phase == "RollingBack")
    house = begun(film.goes_on(committed), committed - 2)
    last = house.cluster.objects.pop((ROLLOUT, "ai", "reply"))
    tell_of_deletion(house, {**last, "metadata": {**shape.mapping(last["metadata"]), "resourceVersion": "2000000"}})
    await settled(house)
    assert record(house) == ("v1", [("v2", "aborted by annotation '1'")])
    assert weights(house)[-1] == 0


async def test_a_damaged_record_keeps_nobody_from_being_taken_back_at_a_deletion_and_is_left_as_it_is() -> None:
    film = film_of(await aborted())
    at_half = next(at for at, frame in enumerate(film.frames) if frame.weight == 50)
    world = film.goes_on(at_half)
    damaged = {**world.at(CONFIG_MAP, "reply-record"), "data": {"record.json": "{}"}}
    world.put(CONFIG_MAP, damaged)
    before = next(at for at, frame in enumerate(film.frames) if frame.weight == 10)
    house = begun(world, before - 1, (ROLLOUT,))
    tell_that_it_is_missing(house, world.objects.pop((ROLLOUT, "ai", "reply")))
    await settled(house)
    assert weights(house)[-1] == 0
    assert world.at(CONFIG_MAP, "reply-record")["data"] == {"record.json": "{}"}
