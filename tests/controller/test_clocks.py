"""A leader is followed by one whose clock is an hour off: no step is skipped or comes twice, and no way back waits."""

from collections.abc import Awaitable, Callable

import pytest

from tests.controller.courses import COURSES, aborted, bad, killed
from tests.controller.film import Film, begun_late, end, weights
from tests.controller.house import House

HOUR = 3600.0
Course = Callable[[], Awaitable[House]]


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.__name__)
async def test_a_successor_whose_clock_is_ahead_ends_like_the_clean_run(course: Course) -> None:
    house = await course()
    assert isinstance(house.cluster, Film)
    for frame in range(house.cluster.last_word, len(house.cluster.frames)):
        late = await begun_late(house, frame, frame, later=HOUR)
        assert end(late) == end(house), f"from frame {frame}"


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.__name__)
async def test_a_successor_whose_clock_is_behind_waits_and_ends_like_the_clean_run(course: Course) -> None:
    house = await course()
    assert isinstance(house.cluster, Film)
    clean = end(house)
    for frame in range(house.cluster.last_word, len(house.cluster.frames)):
        late = await begun_late(house, frame, frame, later=-HOUR)
        assert weights(late) == clean["weights"][: len(weights(late))], f"from frame {frame}"
        # The hour passes.
        for _ in range(12):
            await late.look(HOUR / 8)
        assert end(late) == clean, f"from frame {frame}"


@pytest.mark.parametrize("course", [bad, aborted, killed], ids=lambda course: course.__name__)
@pytest.mark.parametrize("off", [-HOUR, HOUR], ids=["behind", "ahead"])
async def test_no_way_back_waits_for_a_clock(course: Course, off: float) -> None:
    house = await course()
    assert isinstance(house.cluster, Film)
    word = house.cluster.last_word
    late = await begun_late(house, word, word, later=off)
    # It has looked for half a minute by its own clock, and not for an hour.
    assert weights(late)[-1] == 0
    assert (end(late)["phase"], end(late)["spec"]) == (end(house)["phase"], end(house)["spec"])
