"""From the first bad evidence to stable everywhere, and to the restored spec; and from a person's word to stable."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import budgets
from bench.documents import name_of
from bench.figures import Figure, latencies
from bench.prometheus import StandIn, real, stand_in
from bench.releases import Release, are_back, are_stable, create, expose, releases, seen
from bench.sightings import FLAG, ROUTE, Sighting
from bench.world import World, world

_TIMES = 40
_PERIOD = "2s"
_TWO_ROUTERS = "a flag and an HTTPRoute each, as a watch sees them"


@dataclass(frozen=True, slots=True)
class _Return:
    """When the last router and the spec of one Rollout came back (seconds since the epoch)."""

    routers: float
    spec: float


async def reverts(directory: Path, profile: Path | None) -> list[Figure]:
    """By bad evidence of the stand-in, by an abort, by the kill switch: one at a time, the others active beside it."""
    chosen = releases(_TIMES, namespaces=1)
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        await stack.enter_async_context(here.operator(source.url))
        await create(here, chosen, period=_PERIOD, versions=4, routers=(FLAG, ROUTE))
        await are_stable(here, chosen)
        return [
            *await _by_evidence(here, source, chosen),
            *await _by_word(here, chosen, 3, "abort", lambda release: _abort(here, release)),
            *await _by_word(here, chosen, 4, "kill switch", lambda release: _kill(here, release)),
        ]


async def reverts_by_real_prometheus(directory: Path, profile: Path | None) -> list[Figure]:
    """As the operator measures it itself: from when it began to ask, so the answer's own time is in it."""
    chosen = releases(_TIMES, namespaces=1)
    async with AsyncExitStack() as stack:
        versions = [name_of(1), name_of(2)]
        source = stack.enter_context(real(directory, [release.app for release in chosen], versions))
        here = await stack.enter_async_context(world(directory, profile))
        operator = await stack.enter_async_context(here.operator(source.url))
        await create(here, chosen, period=_PERIOD, routers=(FLAG, ROUTE))
        await are_stable(here, chosen)
        await expose(here, chosen, 2)
        before = operator.histogram("headgate_breach_to_revert_seconds")
        for release in chosen:
            source.turn_bad([release.app])
            await _back(here, release)
        measured = operator.histogram("headgate_breach_to_revert_seconds").since(before)
    what = "real Prometheus: asked → every router at 0"
    how = f"{measured.count:.0f} times; the operator's own histogram, the time of the answer included"
    return [
        Figure(f"{what}, mean", measured.total / measured.count, "s", None, how),
        Figure(f"{what}, p99", measured.percentile(99), "s", None, "upper bound of its bucket"),
    ]


async def _by_evidence(here: World, source: StandIn, chosen: Sequence[Release]) -> list[Figure]:
    await expose(here, chosen, 2)
    found: dict[str, _Return] = {}
    for release in chosen:
        source.turn_bad([release.app])
        found[release.app] = await _back(here, release)
    first_bad = source.recall().first_bad
    source.forget()
    routers = [back.routers - first_bad[app] for app, back in found.items()]
    specs = [back.spec - first_bad[app] for app, back in found.items()]
    return [
        *latencies("first bad evidence → every router at 0", routers, budgets.ROUTERS_AT_ZERO, _TWO_ROUTERS),
        *latencies("first bad evidence → spec restored", specs, budgets.SPEC_RESTORED),
    ]


async def _by_word(
    here: World, chosen: Sequence[Release], number: int, what: str, say: Callable[[Release], Awaitable[None]]
) -> list[Figure]:
    await expose(here, chosen, number)
    routers = []
    for release in chosen:
        said = time.time()
        await say(release)
        routers.append((await _back(here, release)).routers - said)
    return latencies(f"{what} sent → every router at 0", routers, None, _TWO_ROUTERS)


async def _back(here: World, release: Release) -> _Return:
    at = seen(here, release)

    def is_back(seen: Sighting) -> bool:
        return seen.is_at_zero() and seen.version == seen.stable

    await here.sightings.until(lambda: is_back(at), within=60, what=f"{release.name} is back")
    back = _Return(at.at_zero_since(), at.version_since)
    # The next one begins when this one is quite over: what is measured is one revert, not a queue of them.
    await are_back(here, [release])
    return back


async def _abort(here: World, release: Release) -> None:
    change = {"metadata": {"annotations": {"headgate.dev/abort": str(seen(here, release).attempt)}}}
    await here.cluster.merge_patch("Rollout", release.namespace, release.name, change)


async def _kill(here: World, release: Release) -> None:
    await here.cluster.merge_patch("Rollout", release.namespace, release.name, {"spec": {"killSwitch": "Stable"}})
