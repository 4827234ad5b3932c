"""How many requests the operator makes: in a whole rollout, in a minute at rest and in a minute of a hold."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench import budgets, documents
from bench.figures import Budget, Figure
from bench.prometheus import stand_in
from bench.releases import Release, are_promoted, are_stable, ask_for, create, expose
from bench.sightings import FLAG, ROUTE
from bench.world import USER, World, world
from headgate.local.demo.audit import RequestCount, count

_FOUR_STEPS: list[documents.Document] = [
    {"weight": 10, "holdFor": "2s"},
    {"weight": 25, "holdFor": "2s"},
    {"weight": 50, "holdFor": "2s"},
    {"weight": 100},
]
_MINUTE = 60.0
_LAST_WRITES = 3.0
"""Seconds until the Events and the stages of the versions that follow a promotion are surely written."""


async def requests_made(directory: Path, profile: Path | None) -> list[Figure]:
    """Counted from the API server's audit log, by the operator's identity; watches are left out."""
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        await stack.enter_async_context(here.operator(source.url))
        held = Release("team-held", "reply")
        await create(here, [held], period="15s")
        await are_stable(here, [held])
        figures = [
            await _whole_rollout(here, (FLAG,), budgets.ROLLOUT_REQUESTS),
            await _whole_rollout(here, (ROUTE,), budgets.ROLLOUT_REQUESTS),
            # The budget counts one router.
            await _whole_rollout(here, (FLAG, ROUTE), None),
        ]
        at_rest = await _minute(here)
        what = "API requests at rest, a minute"
        figures.append(Figure(what, at_rest.total, "requests", budgets.REQUESTS_AT_REST, _listing(at_rest)))
        await expose(here, [held], 2)
        await asyncio.sleep(_LAST_WRITES)
        holding = await _minute(here)
        what = "API requests while progressing, between steps, a minute"
        return [*figures, Figure(what, holding.total, "requests", budgets.REQUESTS_IN_A_HOLD, _listing(holding))]


async def _whole_rollout(here: World, routers: Sequence[str], budget: Budget | None) -> Figure:
    by = " and ".join(routers)
    release = Release(f"team-{by.replace(' ', '-').lower()}", "reply")
    await create(here, [release], period="1s", steps=_FOUR_STEPS, bake="2s", routers=routers)
    await are_stable(here, [release])
    await asyncio.sleep(_LAST_WRITES)
    began = time.time()
    await ask_for(here, [release], 2)
    await are_promoted(here, [release], 2)
    await asyncio.sleep(_LAST_WRITES)
    made = count(here.plane.audit_log, USER, began, time.time())
    return Figure(f"API requests in a rollout of 4 steps by {by}", made.total, "requests", budget, _listing(made))


async def _minute(here: World) -> RequestCount:
    began = time.time()
    await asyncio.sleep(_MINUTE)
    return count(here.plane.audit_log, USER, began, began + _MINUTE)


def _listing(made: RequestCount) -> str:
    entries = [f"{number} {what}" for what, number in made.budgeted.items()]
    apart = [f"apart: {made.apart} of versions' and gates' status"] if made.apart else []
    return ", ".join(entries + apart)
