"""A hook is tried again with growing pauses, within its time, and ends in words."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from headgate.aftermath.tries import LONGEST_RETRY_AFTER, Ending, FailedTry, HookFailed, run
from tests.aftermath.hooks import POSTED, at_once, too_late


@dataclass
class Called:
    """Fails as often as it is told, and then begins."""

    failures: list[FailedTry] = field(default_factory=list)
    end: HookFailed | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    pauses: list[float] = field(default_factory=list)
    never_ends: bool = False
    begins: int = 0
    what: str = "webhook 'cache'"

    async def begin(self) -> None:
        self.begins += 1
        if self.failures:
            raise self.failures.pop(0)

    async def find(self) -> None:
        raise HookFailed("it is not there")

    async def outcome(self) -> str:
        if self.never_ends:
            await asyncio.Event().wait()
        if self.end is not None:
            raise self.end
        return "it went well"

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def failing(count: int, retry_after: float | None = None) -> list[FailedTry]:
    return [FailedTry(f"failed {number}", retry_after) for number in range(1, count + 1)]


async def test_what_works_at_once_is_tried_once() -> None:
    assert await run(POSTED, Called(), at_once) == Ending(succeeded=True, message="it went well", tries=1)


async def test_what_fails_is_tried_again_later_each_time() -> None:
    call = Called(failing(5))
    assert await run(POSTED, call, at_once, sleep=call.sleep) == Ending(succeeded=True, message="it went well", tries=6)
    assert call.pauses == [1, 4, 16, 60, 60]


async def test_it_is_tried_so_often_and_no_more() -> None:
    call = Called(failing(9))
    ending = await run(replace(POSTED, retries=2), call, at_once, sleep=call.sleep)
    assert ending == Ending(succeeded=False, message="failed 3", tries=3)
    never = Called(failing(9))
    assert (await run(replace(POSTED, retries=0), never, at_once, sleep=never.sleep)).tries == 1
    assert never.pauses == []


@pytest.mark.parametrize(("asked", "waited"), [(30.0, 30.0), (0.1, 1.0), (-5.0, 1.0), (1e9, LONGEST_RETRY_AFTER)])
async def test_a_receiver_may_put_the_next_try_off_within_bounds(asked: float, waited: float) -> None:
    call = Called(failing(1, asked))
    await run(POSTED, call, at_once, sleep=call.sleep)
    assert call.pauses == [waited]


async def test_what_ended_badly_is_not_tried_again() -> None:
    call = Called(end=HookFailed("Job x failed"))
    assert await run(POSTED, call, at_once) == Ending(succeeded=False, message="Job x failed", tries=1)


async def test_its_time_covers_tries_pauses_and_the_end() -> None:
    brief = replace(POSTED, timeout=0.05)
    waiting = await run(brief, Called(failing(9)), at_once)
    assert waiting == Ending(succeeded=False, message="webhook 'cache' did not end within 0 s; last: failed 1", tries=1)
    endless = await run(brief, Called(never_ends=True), at_once)
    assert endless == Ending(succeeded=False, message="webhook 'cache' did not end within 0 s", tries=1)


async def test_after_a_restart_it_has_what_is_left_of_its_time_and_no_more() -> None:
    begun_before = replace(POSTED, timeout=600.0)
    restarted = begun_before.at + timedelta(seconds=599.95)
    ending = await run(begun_before, Called(never_ends=True), lambda: restarted)
    assert ending == Ending(succeeded=False, message="webhook 'cache' did not end within 600 s", tries=1)


async def test_once_its_time_is_over_nothing_is_begun() -> None:
    call = Called()
    assert await run(POSTED, call, too_late) == Ending(succeeded=False, message="it is not there", tries=1)
    assert call.begins == 0


async def test_what_its_time_ran_out_upon_says_what_it_failed_of() -> None:
    call, moments = Called(failing(9)), [POSTED.at, POSTED.at, too_late()]
    ending = await run(POSTED, call, lambda: moments.pop(0), grace=30.0, sleep=call.sleep)
    assert ending == Ending(succeeded=False, message="it is not there; last: failed 1", tries=2)


async def test_a_clock_that_is_behind_gives_it_no_more_than_its_time() -> None:
    assert POSTED.left(POSTED.at - timedelta(hours=1)) == POSTED.timeout
