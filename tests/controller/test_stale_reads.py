"""An operator whose first lists are older than the truth does nothing that cannot be undone, and ends as ever."""

from collections.abc import Awaitable, Callable

import pytest

from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, ROLLOUT, Kind
from tests.controller.courses import COURSES, killed
from tests.controller.film import LISTED, Film, begun_late, end
from tests.controller.house import House

GAP = 3
KINDS = pytest.mark.parametrize(
    "kinds",
    [LISTED, (ROLLOUT,), (CONFIG_MAP,), (PROMPT_VERSION, CONFIG_MAP)],
    ids=["everything", "Rollouts", "ConfigMaps", "all but Rollouts"],
)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.__name__)
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
