"""Who is looked at, when, and how often at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from headgate.controller import clock
from headgate.controller.scheduler import Scheduler
from headgate.engine.observation import Key

A, B = Key("ai", "a"), Key("ai", "b")


@asynccontextmanager
async def running(
    look: Callable[[Key], Awaitable[datetime | None]], workers: int = 4, late: Callable[[float], None] = lambda _: None
) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler("test", look, workers=workers, late=late)
    scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.stop()


async def test_pokes_during_a_look_are_one_look_after_it() -> None:
    looks: list[Key] = []
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def look(key: Key) -> None:
        looks.append(key)
        if len(looks) == 1:
            begun.set()
            await go_on.wait()
        else:
            again.set()

    async with running(look) as scheduler:
        scheduler.poke(A)
        await begun.wait()
        scheduler.poke(A)
        scheduler.poke(A)
        assert looks == [A]
        go_on.set()
        await again.wait()
    assert looks == [A, A]


async def test_a_due_time_is_kept_and_its_lateness_told() -> None:
    looked = asyncio.Event()
    lateness: list[float] = []

    async def look(_key: Key) -> None:
        looked.set()

    async with running(look, late=lateness.append) as scheduler:
        due = clock.now() + timedelta(milliseconds=50)
        scheduler.at(A, due + timedelta(hours=1))
        scheduler.at(A, due)
        async with asyncio.timeout(5):
            await looked.wait()
        assert clock.now() >= due
    assert len(lateness) == 1


async def test_a_look_that_fails_is_tried_again_and_harms_no_other() -> None:
    seen = asyncio.Event()

    async def look(key: Key) -> None:
        if key == A:
            raise ValueError("broken")
        seen.set()

    async with running(look, workers=1) as scheduler:
        scheduler.poke(A)
        scheduler.poke(B)
        async with asyncio.timeout(5):
            await seen.wait()


async def test_whoever_is_patient_waits_for_all_others() -> None:
    order: list[Key] = []
    done = asyncio.Event()

    async def look(key: Key) -> None:
        order.append(key)
        if len(order) == 2:
            done.set()

    scheduler = Scheduler("test", look, workers=1)
    scheduler.poke_last(A)
    scheduler.poke(B)
    scheduler.start()
    async with asyncio.timeout(5):
        await done.wait()
    await scheduler.stop()
    assert order == [B, A]


async def test_many_changes_within_a_moment_are_one_look() -> None:
    looks: list[Key] = []
    looked = asyncio.Event()

    async def look(key: Key) -> None:
        looks.append(key)
        looked.set()

    async with running(look) as scheduler:
        for _ in range(10):
            scheduler.within(A, 0.05)
        async with asyncio.timeout(5):
            await looked.wait()
    assert looks == [A]


async def test_it_ends_soon_although_a_look_does_not() -> None:
    begun = asyncio.Event()

    async def look(_key: Key) -> None:
        begun.set()
        await asyncio.Event().wait()

    scheduler = Scheduler("test", look, workers=1)
    scheduler.start()
    scheduler.poke(A)
    await begun.wait()
    async with asyncio.timeout(2):
        await scheduler.stop(grace=0.05)
