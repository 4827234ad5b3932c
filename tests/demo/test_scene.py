"""What the story waits on is what was seen, in the order in which it was seen."""

import asyncio

import pytest

from headgate.api.rollout_status import Outcome
from headgate.local.demo import performance
from headgate.local.demo.scene import Measured, StoryFailed
from headgate.local.demo.story import Told
from tests.demo.scenes import scene, status, tally


def test_weights_are_those_of_one_attempt_in_order() -> None:
    seen = scene()
    for weight in (0, 10, 10, 25, 100):
        seen.saw_rollout("v8", status(weight=weight))
    seen.saw_rollout("v9", status(weight=10, attempt=2))
    assert seen.weights_of(1) == [10, 25, 100]
    assert seen.weights_of(2) == [10]


def test_the_same_state_twice_is_one_moment() -> None:
    seen = scene()
    seen.saw_rollout("v8", status(weight=10))
    seen.saw_rollout("v8", status(weight=10))
    seen.saw_rollout("v7", status(weight=10))
    assert [moment.version for moment in seen.moments] == ["v8", "v7"]


def test_companies_are_counted_by_the_service_at_each_weight() -> None:
    seen = scene()
    seen.saw_rollout("v8", status(weight=10))
    seen.saw_tally(tally(a=("v7", "stable"), b=("v7", "stable")))
    seen.saw_tally(tally(a=("v7", "stable"), b=("v8", "candidate")))
    seen.saw_rollout("v8", status(weight=100))
    seen.saw_tally(tally(a=("v8", "candidate"), b=("v8", "candidate")))
    seen.saw_rollout("v8", status(weight=0, outcome=Outcome.PROMOTED))
    seen.saw_tally(tally(a=("v8", "stable"), b=("v8", "stable")))
    assert seen.companies_at == {(1, 10): 1, (1, 100): 2}


def test_values_of_the_last_attempt_are_not_shown_in_the_next() -> None:
    seen = scene()
    seen.saw_rollout("v8", status(attempt=1))
    seen.saw_measured({}, None)
    seen.saw_measured({"error-rate": Measured(0.01)}, None)
    assert seen.measured == {"error-rate": Measured(0.01)}
    seen.saw_rollout("v9", status(attempt=2))
    seen.saw_measured({"error-rate": Measured(0.02)}, None)
    assert seen.measured == {}
    seen.saw_measured({"error-rate": Measured(0.2)}, None)
    assert seen.measured == {"error-rate": Measured(0.2)}


async def test_waiting_ends_with_what_was_waited_for() -> None:
    seen = scene()
    waiting = asyncio.create_task(seen.until("v8", lambda: seen.version == "v8"))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert seen.waiting_for == "v8"
    seen.saw_rollout("v8", status())
    await asyncio.wait_for(waiting, 5)


async def test_a_wait_is_cancelled_even_in_the_moment_of_a_change() -> None:
    seen = scene()
    waiting = asyncio.create_task(seen.until("v8", lambda: False))
    await asyncio.sleep(0)
    seen.saw_rollout("v8", status())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)


async def _never() -> Told:
    await asyncio.Event().wait()
    raise AssertionError


async def test_the_deadline_says_what_was_waited_for() -> None:
    seen = scene()
    seen.waiting_for = "v7 to become stable"
    with pytest.raises(StoryFailed, match="gave up after 0 s while waiting for v7 to become stable"):
        await performance.in_time(_never(), [], seen, 0.0)


async def test_a_failure_beside_the_story_ends_it() -> None:
    async def fails() -> None:
        raise StoryFailed("operator ended by itself: no memory")

    ended = asyncio.Event()

    async def runs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(StoryFailed, match="no memory"):
        await performance.in_time(_never(), [fails(), runs()], scene(), 60.0)
    assert ended.is_set()
