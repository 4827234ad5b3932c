"""Releases that are filmed from their beginning to their end, each with the time and the evidence as arguments."""

from headgate.cluster.objects import ROLLOUT
from tests.controller import documents
from tests.controller.film import filmed, weights
from tests.controller.house import House

STEPS = [{"weight": 10, "holdFor": "1s"}, {"weight": 50, "holdFor": "1s"}, {"weight": 100}]


async def _stable() -> House:
    house = filmed()
    await house.versions("v1", "v2", "v3")
    house.put(ROLLOUT, documents.rollout("v1", steps=STEPS))
    await house.look()
    return house


async def good() -> House:
    """v2 becomes stable."""
    house = await _stable()
    house.put(ROLLOUT, documents.rollout("v2", steps=STEPS, bakeFor="4s"))
    for _ in range(10):
        await house.look(2)
    assert (house.status["phase"], weights(house)) == ("Idle", [0, 10, 50, 100, 0])
    return house


async def bad() -> House:
    """v2 is taken back from its first step."""
    house = await _stable()
    house.sources.values["v2"] = 9
    house.put(ROLLOUT, documents.rollout("v2", steps=STEPS))
    for _ in range(5):
        await house.look(2)
    assert (house.status["phase"], weights(house)) == ("RolledBack", [0, 10, 0])
    return house


async def aborted() -> House:
    """v2 is taken back by a person's word from its second step."""
    house = await _stable()
    long = [STEPS[0], {"weight": 50, "holdFor": "1h"}, STEPS[2]]
    house.put(ROLLOUT, documents.rollout("v2", steps=long))
    for _ in range(4):
        await house.look(2)
    house.annotate(abort="1")
    for _ in range(4):
        await house.look(2)
    assert (house.status["phase"], weights(house)) == ("RolledBack", [0, 10, 50, 0])
    return house


async def killed() -> House:
    """v2 is taken back by the kill switch while it bakes."""
    house = await _stable()
    house.put(ROLLOUT, documents.rollout("v2", steps=STEPS, bakeFor="1h"))
    for _ in range(6):
        await house.look(2)
    house.put(ROLLOUT, documents.rollout("v2", steps=STEPS, bakeFor="1h", killSwitch="Stable"))
    for _ in range(4):
        await house.look(2)
    assert (house.status["phase"], weights(house)) == ("Killed", [0, 10, 50, 100, 0])
    return house


COURSES = (good, bad, aborted, killed)
