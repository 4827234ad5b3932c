"""From bad evidence, an alert or a person's word to stable everywhere, and to what is released as it was."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import budgets, targets
from bench.documents import name_of
from bench.figures import Budget, Figure, latencies
from bench.pager import Pager
from bench.prometheus import StandIn, real, stand_in
from bench.releases import Release, are_back, are_stable, create, expose, releases, seen, target_releases
from bench.sightings import FIELD, FLAG, ROUTE, Sighting
from bench.world import World, world

_TIMES = 40
_PERIOD = "2s"


@dataclass(frozen=True, slots=True)
class _Return:
    """When the last router and the spec of one Rollout came back (seconds since the epoch)."""

    routers: float
    spec: float


@dataclass(frozen=True, slots=True)
class _Lap:
    """One cause, which takes back all of these after they were exposed to a version or content of that number."""

    what: str
    number: int
    chosen: Sequence[Release]

    @property
    def how(self) -> str:
        """What is watched."""
        routers = "an InferenceService's weight" if self.chosen[0].is_target else "a flag and an HTTPRoute"
        return f"{routers} each, as a watch sees it"


async def reverts(directory: Path, profile: Path | None) -> list[Figure]:
    """By bad evidence of the stand-in, by an alert, by an abort, by the kill switch; prompts, then targets.

    One at a time, the others active beside it.
    """
    prompts, rankers = releases(_TIMES, namespaces=1), target_releases(_TIMES)
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        pager = await stack.enter_async_context(Pager(directory, {each.namespace for each in (*prompts, *rankers)}))
        configured = {"alerts": pager.configuration, "targets": [targets.ALLOWED]}
        await stack.enter_async_context(here.operator(source.url, **configured))
        await create(here, prompts, period=_PERIOD, versions=5, routers=(FLAG, ROUTE))
        await create(here, rankers, period=_PERIOD, versions=0, routers=(FIELD,))
        await are_stable(here, [*prompts, *rankers])

        def alert(release: Release) -> Awaitable[None]:
            return pager.fire(release.app)

        return [
            *await _by_evidence(here, source, _Lap("breach", 2, prompts)),
            *await _by_word(here, _Lap("alert", 3, prompts), alert, budgets.ALERT_TO_ZERO),
            *await _by_word(here, _Lap("abort", 4, prompts), lambda release: _abort(here, release)),
            *await _by_word(here, _Lap("kill switch", 5, prompts), lambda release: _kill(here, release)),
            *await _by_evidence(here, source, _Lap("breach of a target", 2, rankers)),
            *await _by_word(here, _Lap("alert about a target", 3, rankers), alert, budgets.ALERT_TO_ZERO),
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


async def _by_evidence(here: World, source: StandIn, lap: _Lap) -> list[Figure]:
    await expose(here, lap.chosen, lap.number)
    found: dict[str, _Return] = {}
    for release in lap.chosen:
        source.turn_bad([release.app])
        found[release.app] = await _back(here, release)
    first_bad = source.recall().first_bad
    source.forget()
    routers = [back.routers - first_bad[app] for app, back in found.items()]
    specs = [back.spec - first_bad[app] for app, back in found.items()]
    how = f"from the first bad evidence; {lap.how}"
    # The peers release no custom resources.
    budget = budgets.TARGET_AT_ZERO if lap.chosen[0].is_target else budgets.ROUTERS_AT_ZERO
    return [
        *latencies(f"{lap.what} → every router at 0", routers, budget, how),
        *latencies(f"{lap.what} → what is released restored", specs, budgets.SPEC_RESTORED),
    ]


async def _by_word(
    here: World, lap: _Lap, say: Callable[[Release], Awaitable[None]], budget: Budget | None = None
) -> list[Figure]:
    await expose(here, lap.chosen, lap.number)
    routers = []
    for release in lap.chosen:
        said = time.time()
        await say(release)
        routers.append((await _back(here, release)).routers - said)
    return latencies(f"{lap.what} → every router at 0", routers, budget, f"from when it was sent; {lap.how}")


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
