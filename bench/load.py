"""Many Rollouts in the midst of a step: what a minute costs, and how soon all are back when all break at once."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import budgets, machine
from bench.documents import name_of
from bench.figures import Budget, Figure, percentile
from bench.operator_process import OperatorProcess
from bench.prometheus import Real, StandIn, real, stand_in
from bench.releases import Release, are_back, are_stable, create, expose, releases, seen
from bench.world import USER, World, world
from headgate.local.demo.audit import count

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """So many active Rollouts, judged every so many seconds by three checks (five different queries) each."""

    count: int
    period: int = 10
    cpu: Budget | None = None
    memory: Budget | None = None
    lateness: Budget | None = None
    all_break: Budget | None = None
    is_real: bool = False
    """Whether a real Prometheus answers; else the stand-in."""

    @property
    def name(self) -> str:
        """As the figures are called."""
        return f"{self.count:,} active, {self.period} s" + (", real Prometheus" if self.is_real else "")


LOAD_100 = Load(100)
LOAD_100_REAL = Load(100, is_real=True)
LOAD_500 = Load(
    500,
    cpu=budgets.LOAD_500_CPU,
    memory=budgets.LOAD_500_MEMORY,
    lateness=budgets.LOAD_500_LATENESS,
    all_break=budgets.LOAD_500_ALL_BREAK,
)
LOAD_10_000 = Load(
    10_000,
    15,
    cpu=budgets.LOAD_10_000_CPU,
    memory=budgets.LOAD_10_000_MEMORY,
    lateness=budgets.LOAD_10_000_LATENESS,
)


async def under_load(load: Load, directory: Path, profile: Path | None) -> list[Figure]:
    """The costs of a minute, then the break of all."""
    chosen = releases(load.count)
    async with AsyncExitStack() as stack:
        source: Real | StandIn
        if load.is_real:
            versions = [name_of(1), name_of(2)]
            source = stack.enter_context(real(directory, [release.app for release in chosen], versions))
        else:
            source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        operator = await stack.enter_async_context(here.operator(source.url))
        await create(here, chosen, period=f"{load.period}s")
        await are_stable(here, chosen)
        began = time.time()
        await expose(here, chosen, 2)
        how = f"all {load.count:,} from the spec's change to the first step's routers"
        exposed = Figure(f"{load.name}: all begin at once", time.time() - began, "s", None, how)
        await asyncio.sleep(1.5 * load.period)
        return [
            exposed,
            *await _minute(load, here, operator, source),
            *await _all_break(load, here, operator, source, chosen),
            Figure(f"{load.name}: most memory ever", operator.most_memory_mib(), "MiB"),
        ]


async def _minute(load: Load, here: World, operator: OperatorProcess, source: Real | StandIn) -> list[Figure]:
    before = operator.histogram("headgate_lateness_seconds")
    if isinstance(source, StandIn):
        source.forget()
    at, busy, cpu, memory = time.time(), machine.busy_seconds(), operator.cpu_seconds(), 0.0
    ends = (began := time.monotonic()) + _MINUTE
    while (left := ends - time.monotonic()) > 0:
        await asyncio.sleep(min(1.0, left))
        memory = max(memory, operator.memory_mib())
    lasted = time.monotonic() - began
    used = (operator.cpu_seconds() - cpu) * _MINUTE / lasted
    all_used = (machine.busy_seconds() - busy) * _MINUTE / lasted
    late = operator.histogram("headgate_lateness_seconds").since(before)
    requests = count(here.plane.audit_log, USER, at, at + lasted).total
    how = f"{requests} API requests meanwhile; all programs of the machine together: {all_used:.0f} CPU-s/min"
    figures = [
        Figure(f"{load.name}: CPU", used, "CPU-s/min", load.cpu, how),
        Figure(f"{load.name}: memory", memory, "MiB", load.memory, "most in that minute"),
        Figure(
            f"{load.name}: lateness, p99",
            late.percentile(99),
            "s",
            load.lateness,
            f"of {late.count:.0f} looks; upper bound of the bucket in the operator's own histogram",
        ),
    ]
    if isinstance(source, StandIn):
        memory_of_source = source.recall()
        late_questions = [gap - load.period for gap in memory_of_source.gaps]
        how = f"{memory_of_source.queries} queries in {memory_of_source.requests} requests; seen from Prometheus"
        figures.append(
            Figure(f"{load.name}: lateness of questions, p99", percentile(late_questions, 99), "s", load.lateness, how)
        )
    return figures


async def _all_break(
    load: Load, here: World, operator: OperatorProcess, source: Real | StandIn, chosen: Sequence[Release]
) -> list[Figure]:
    broke, busy, cpu = time.time(), machine.busy_seconds(), operator.cpu_seconds()
    source.turn_bad()
    await are_back(here, chosen)
    routers = max(seen(here, release).at_zero_since() for release in chosen) - broke
    specs = max(seen(here, release).version_since for release in chosen) - broke
    used, all_used = operator.cpu_seconds() - cpu, machine.busy_seconds() - busy
    how = "the wait for the next look, and for the next scrape if there is one, included"
    costs = f"meanwhile {used:.1f} CPU-s of the operator, {all_used:.0f} of all programs of the machine"
    return [
        Figure(f"{load.name}: all break at once → all at 0", routers, "s", load.all_break, how),
        Figure(f"{load.name}: all break at once → all specs restored", specs, "s", None, costs),
    ]
