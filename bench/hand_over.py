"""Of two replicas the one that leads ends: how soon the other obeys what a person says at that very moment."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from bench import budgets
from bench.figures import Figure, latencies
from bench.operator_process import OperatorProcess
from bench.prometheus import stand_in
from bench.releases import Release, are_back, are_stable, create, expose, releases, seen
from bench.world import World, world
from headgate.local.waiting import wait_until

_TIMES = 12
_PERIOD = "2s"
_HOW = "the abort of a release at 10 %, sent in the moment in which the leader ends"


async def hand_over(directory: Path, profile: Path | None) -> list[Figure]:
    """By SIGKILL, after which the other waits until the Lease is over, and by SIGTERM, which gives it back."""
    chosen = releases(2 * _TIMES, namespaces=1)
    async with AsyncExitStack() as stack:
        source = stack.enter_context(stand_in(directory))
        here = await stack.enter_async_context(world(directory, profile))
        leader, standby = (here.replica(name, source.url) for name in ("one", "two"))
        for replica in (leader, standby):
            stack.callback(replica.stop)
            replica.start()
        await create(here, chosen, period=_PERIOD)
        await are_stable(here, chosen)
        await expose(here, chosen, 2)
        found: dict[str, list[float]] = {}
        for what, end in (("SIGKILL", OperatorProcess.kill), ("SIGTERM", OperatorProcess.ask_to_end)):
            for _ in range(_TIMES):
                found.setdefault(what, []).append(await _obeyed_by_the_other(here, leader, end, chosen.pop()))
                leader, standby = standby, leader
                _stands_by(standby)
        return [
            figure
            for what, seconds in found.items()
            for figure in latencies(f"leader ends by {what} → router at 0", seconds, budgets.HAND_OVER, _HOW)
        ]


async def _obeyed_by_the_other(
    here: World, leader: OperatorProcess, end: Callable[[OperatorProcess], None], release: Release
) -> float:
    change = {"metadata": {"annotations": {"headgate.dev/abort": str(seen(here, release).attempt)}}}
    ended = time.time()
    end(leader)
    await here.cluster.merge_patch("Rollout", release.namespace, release.name, change)
    at = seen(here, release)
    await here.sightings.until(at.is_at_zero, within=60, what=f"{release.name} is back")
    zero = at.at_zero_since()
    await are_back(here, [release])
    return zero - ended


def _stands_by(replica: OperatorProcess) -> None:
    """Starts it again, once its last process has ended."""
    replica.stop()
    replica.start()
    wait_until(lambda: replica.role == "standby", timeout=60, otherwise=lambda: f"it is {replica.role!r}")
