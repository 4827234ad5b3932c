"""How soon the operator decides when it starts among many Rollouts that wait for it, and again after a restart."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench import budgets
from bench.figures import Figure
from bench.prometheus import StandIn, stand_in
from bench.releases import are_stable, create, expose, releases
from bench.world import World, world
from headgate.local.waiting import wait_until

_COUNT = 1_000
_PERIOD = "10s"


async def start(directory: Path, profile: Path | None) -> list[Figure]:
    """From the start of the process, Python's imports and all lists included."""
    chosen = releases(_COUNT)
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        await create(here, chosen, period=_PERIOD)
        operator = here.idle_operator(source.url)
        stack.callback(operator.stop)
        began = time.time()
        operator.begin()
        every = here.sightings.every
        await here.sightings.until(lambda: any(seen.phase for seen in every()), within=120, what="a status is written")
        first = time.time() - began
        await are_stable(here, chosen)
        everybody = time.time() - began
        await expose(here, chosen, 2)
        operator.stop()
        again = await _restart(here, source)
        what = f"start with {_COUNT:,} rollouts"
        return [
            Figure(f"{what} → first decision", first, "s", budgets.START, "the first status that a watch saw"),
            Figure(f"{what} → all have a stable version", everybody, "s", None, "three or more writes each"),
            Figure(f"restart with {_COUNT:,} active → first question", again, "s", budgets.START, "at Prometheus"),
        ]


async def _restart(here: World, source: StandIn) -> float:
    source.forget()
    operator = here.idle_operator(source.url)
    began = time.time()
    operator.begin()
    try:
        wait_until(
            lambda: source.recall().first_question is not None,
            timeout=120,
            otherwise=lambda: "the operator asks nothing after its restart",
        )
    finally:
        operator.stop()
    return (source.recall().first_question or 0.0) - began
