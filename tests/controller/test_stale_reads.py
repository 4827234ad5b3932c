"""An operator whose first lists are older than the truth does nothing that cannot be undone, and ends as ever."""

from collections.abc import Awaitable, Callable

import pytest

from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, ROLLOUT, Kind
from tests.controller import documents
from tests.controller.film import LISTED, Film, begun_late, end, filmed, weights
from tests.controller.house import House

GAP = 3
STEPS = [{"weight": 10, "holdFor": "1s"}, {"weight": 50, "holdFor": "1s"}, {"weight": 100}]
GOOD = [0, 10, 50, 100, 0]


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
    assert (house.status["phase"], weights(house)) == ("Idle", GOOD)
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


COURSES = pytest.mark.parametrize("course", [good, bad, aborted, killed], ids=lambda course: course.__name__)
KINDS = pytest.mark.parametrize(
    "kinds",
    [LISTED, (ROLLOUT,), (CONFIG_MAP,), (PROMPT_VERSION, CONFIG_MAP)],
    ids=["everything", "Rollouts", "ConfigMaps", "all but Rollouts"],
)


@COURSES
@KINDS
async def test_begun_with_lists_as_they_were_a_few_writes_ago_it_ends_like_the_clean_run(
    course: Callable[[], Awaitable[House]], kinds: tuple[Kind, ...]
) -> None:
    house = await course()
    assert isinstance(house.cluster, Film)
    clean, frames = end(house), len(house.cluster.frames)
    for true in range(house.cluster.last_word, frames):
        for stale in range(max(0, true - GAP), true):
            late = await begun_late(house, stale, true, kinds)
            assert end(late) == clean, f"the lists of frame {stale} in frame {true} of {frames}"


async def test_a_version_rejected_since_is_not_made_stable_in_the_record() -> None:
    house = await killed()
    assert isinstance(house.cluster, Film)
    frames = house.cluster.frames
    baking = next(at for at, frame in enumerate(frames) if frame.phase == "Baking")
    # It is long since, by the old lists its bake is over, and they know of no kill switch.
    late = await begun_late(house, baking, len(frames) - 1, later=7200)
    assert end(late) == end(house)
