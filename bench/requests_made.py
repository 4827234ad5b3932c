"""How many requests the operator makes: in a whole rollout, in a minute at rest and in a minute of a hold."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench import budgets
from bench.documents import Document
from bench.figures import Budget, Figure
from bench.prometheus import stand_in
from bench.releases import Release, are_promoted, are_stable, ask_for, create, expose
from bench.sightings import FLAG, ROUTE
from bench.world import USER, World, world
from headgate.local.demo.audit import RequestCount, count

_SHORT, _LONG = "2s", "75s"
"""A long hold outlasts the minute that is measured in it, and whatever waits for company before it is written."""
_MINUTE = 60.0
_AFTER_A_STEP = 5.0
_LAST_WRITES = 3.0
"""Seconds until the Events and the stages of the versions that follow a promotion are surely written."""


async def requests_made(directory: Path, profile: Path | None) -> list[Figure]:
    """Counted from the API server's audit log, by the operator's identity; watches are left out."""
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        await stack.enter_async_context(here.operator(source.url))
        figures = [
            await _whole_rollout(here, (FLAG,), budgets.ROLLOUT_REQUESTS),
            await _whole_rollout(here, (ROUTE,), budgets.ROLLOUT_REQUESTS),
            # The budget counts one router.
            await _whole_rollout(here, (FLAG, ROUTE), None),
        ]
        at_rest = await _minute(here)
        what = "API requests at rest, a minute"
        figures.append(Figure(what, at_rest.total, "requests", budgets.REQUESTS_AT_REST, _listing(at_rest)))
        return [*figures, *await _long_rollout(here)]


async def _whole_rollout(here: World, routers: Sequence[str], budget: Budget | None) -> Figure:
    by = " and ".join(routers)
    release = await _stable(here, f"team-{by.replace(' ', '-').lower()}", "1s", _SHORT, routers)
    began = time.time()
    await ask_for(here, [release], 2)
    await are_promoted(here, [release], 2)
    what = f"API requests in a rollout of 4 steps by {by}"
    return await _since(here, began, what, budget)


async def _long_rollout(here: World) -> list[Figure]:
    release = await _stable(here, "team-long", "15s", _LONG, (FLAG,))
    began = time.time()
    await expose(here, [release], 2)
    await asyncio.sleep(_AFTER_A_STEP)
    holding = await _minute(here)
    await are_promoted(here, [release], 2)
    what = "API requests while progressing, between steps, a minute"
    return [
        Figure(what, holding.total, "requests", budgets.REQUESTS_IN_A_HOLD, _listing(holding)),
        await _since(here, began, f"the same with holds of {_LONG}, by flag", budgets.ROLLOUT_REQUESTS),
    ]


async def _stable(here: World, namespace: str, period: str, hold: str, routers: Sequence[str]) -> Release:
    """A Rollout of four steps that is about to begin."""
    release = Release(namespace, "reply")
    steps: list[Document] = [*({"weight": weight, "holdFor": hold} for weight in (10, 25, 50)), {"weight": 100}]
    await create(here, [release], period=period, steps=steps, bake=hold, routers=routers)
    await are_stable(here, [release])
    await asyncio.sleep(_LAST_WRITES)
    return release


async def _since(here: World, began: float, what: str, budget: Budget | None) -> Figure:
    await asyncio.sleep(_LAST_WRITES)
    made = count(here.plane.audit_log, USER, began, time.time())
    return Figure(what, made.total, "requests", budget, _listing(made))


async def _minute(here: World) -> RequestCount:
    began = time.time()
    await asyncio.sleep(_MINUTE)
    return count(here.plane.audit_log, USER, began, began + _MINUTE)


def _listing(made: RequestCount) -> str:
    entries = [f"{number} {what}" for what, number in made.budgeted.items()]
    apart = [f"apart: {made.apart} of versions' and gates' status"] if made.apart else []
    return ", ".join(entries + apart)
