"""An operator whose first lists are older than the truth does nothing that cannot be undone, and ends as ever."""

from collections.abc import Awaitable, Callable

import pytest

from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, ROLLOUT, Kind
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller.orphans import Orphans
from headgate.controller.speaking import Speaking
from tests.controller.courses import COURSES, aborted, killed
from tests.controller.film import LISTED, Film, begun_late, end
from tests.controller.house import REPLY, House

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


async def test_a_router_whose_rollout_an_old_list_missed_is_no_orphan() -> None:
    house = await aborted()
    assert isinstance(house.cluster, Film)
    exposing = next(at for at, frame in enumerate(house.cluster.frames) if frame.weight == 50)
    world = house.cluster.goes_on(exposing)
    store = Store()
    for (kind, _, _), raw in world.objects.items():
        if kind == CONFIG_MAP:
            store.documents.watched(kind, raw, deleted=False)
    snapshots = Snapshots(world)
    orphans = Orphans(store, world, Speaking(world, snapshots), snapshots)
    await orphans.put_at_stable()
    assert world.writes == []
    assert store.rollouts.get(REPLY) is not None
    # Now it is gone indeed.
    del world.objects[ROLLOUT, "ai", "reply"]
    store.rollouts.remove(REPLY, 10**9)
    await orphans.put_at_stable()
    assert world.frames[-1].weight == 0
