"""What is on record when a Rollout is deleted and applied again: a rejected version reaches nobody by that."""

import copy

from headgate.cluster.objects import ROLLOUT
from tests.controller import documents
from tests.controller.courses import STEPS, aborted
from tests.controller.film import LISTED, Film, weights
from tests.controller.house import REPLY, House


def film_of(house: House) -> Film:
    assert isinstance(house.cluster, Film)
    return house.cluster


def begun(world: Film, stale: int | None = None) -> House:
    """An operator that begins where the world ends, told by its list of Rollouts what was so in the frame ``stale``."""
    late = House(world)
    world.clock, late.time = late.now, world.frames[-1].time
    for told in LISTED:
        frame = world.frames[stale if stale is not None and told == ROLLOUT else -1]
        for (kind, _, _), raw in frame.objects.items():
            if kind == told:
                late.tell(kind, copy.deepcopy(raw))
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
