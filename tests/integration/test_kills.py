"""kill -9 at any moment: no step is skipped, none is repeated, and what was begun is brought to its end."""

import queue
from collections import Counter

from tests.integration import resources
from tests.integration.conftest import MakeOperator
from tests.integration.fault_proxy import Asked, Fate, FaultProxy
from tests.integration.journal import Journal
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import Route, weights

THREE_STEPS = [{"weight": 10, "holdFor": "200ms"}, {"weight": 50, "holdFor": "200ms"}, {"weight": 100}]
MOST_CRASHES = 60


def test_killed_at_each_step_it_goes_on_where_it_was(operator: OperatorProcess, release: Release) -> None:
    release.begins()
    flag, rollout = release.router.history(release.namespace), Journal(release.namespace, "Rollout", "reply")
    release.of("v2", bakeFor="500ms")
    for weight in (10, 25, 50, 100):
        release.is_at("v2", weight)
        operator.kill()
        operator.start()
    release.ends_stable("v2")
    assert weights(release.router, flag) == [0, 10, 25, 50, 100, 0]
    assert _steps(rollout) == [0, 1, 2, 3]
    assert release.namespace.status("reply")["attempts"] == 1


def test_killed_before_and_after_every_write_of_a_good_release_it_ends_promoted(
    proxy: FaultProxy, make_operator: MakeOperator, release: Release
) -> None:
    operator = make_operator(proxy.kubeconfig)
    operator.start()
    release.begins()
    flag, rollout = release.router.history(release.namespace), Journal(release.namespace, "Rollout", "reply")
    struck = _strike_every_write(operator, proxy, release, "v2", ended="Promoted")
    release.ends_stable("v2")
    assert len(struck) >= 16, struck
    assert weights(release.router, flag) == [0, 10, 50, 100, 0]
    assert _steps(rollout) == [0, 1, 2]
    assert release.namespace.status("reply")["attempts"] == 1


def test_killed_before_and_after_every_write_of_a_bad_release_it_ends_rolled_back(
    proxy: FaultProxy, make_operator: MakeOperator, release: Release
) -> None:
    operator = make_operator(proxy.kubeconfig)
    operator.start()
    release.begins()
    flag = release.router.history(release.namespace)
    release.is_bad("v2")
    struck = _strike_every_write(operator, proxy, release, "v2", ended="RolledBack")
    release.ends_rolled_back("v2")
    assert len(struck) >= 16, struck
    assert weights(release.router, flag) == [0, 10, 0]
    managed = release.namespace.get("Rollout", "reply")["metadata"]["managedFields"]
    assert {entry["manager"] for entry in managed if not entry.get("subresource")} == {"kubectl"}
    release.of("v3", steps=THREE_STEPS)
    release.ends_stable("v3")


def test_killed_while_shadowing_it_mirrors_again_and_exposes_nobody(
    operator: OperatorProcess, release: Release
) -> None:
    release.begins(Route())
    journal = release.router.history(release.namespace)
    release.of("v2", steps=[{"name": "shadow", "shadow": "100%", "holdFor": "2s"}, {"weight": 100}])
    release.wait(phase="Shadowing")
    operator.kill()
    operator.start()
    release.ends_stable("v2")
    assert weights(release.router, journal) == [0, 100]


def test_it_ends_within_seconds_when_it_is_asked_to(operator: OperatorProcess, release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_at("v2", 10)
    assert operator.stop() == 0


def _strike_every_write(
    operator: OperatorProcess, proxy: FaultProxy, release: Release, version: str, *, ended: str
) -> list[str]:
    """Releases, and kills the operator before and again after each write until the attempt has ended so."""
    struck: list[str] = []
    proxy.strike(_EveryWrite())
    release.of(version, steps=THREE_STEPS)
    while True:
        try:
            asked = proxy.struck(within=0.2)
        except queue.Empty:
            if release.namespace.status("reply").get("attempt", {}).get("outcome") == ended and _is_at_rest(release):
                break
            continue
        operator.kill()
        proxy.forget_struck()
        struck.append(f"{asked.method} {asked.path.rpartition('/namespaces/')[2]}")
        assert len(struck) <= MOST_CRASHES, struck
        operator.start()
    proxy.strike(lambda _asked: Fate.PASS)
    return struck


class _EveryWrite:
    """Strikes each write once before it happens, and once, when the next operator comes to it, after it happened."""

    def __init__(self) -> None:
        self._times: Counter[Asked] = Counter()

    def __call__(self, asked: Asked) -> Fate:
        of_the_rollout = "/rollouts/" in asked.path
        if not asked.writes or not (of_the_rollout or "/configmaps" in asked.path):
            return Fate.PASS
        self._times[asked] += 1
        match self._times[asked]:
            case 1:
                return Fate.DROP
            case 2:
                if of_the_rollout:
                    # The attempt is further now, and what looks the same from here on is another write.
                    self._times.clear()
                return Fate.SWALLOW
            case _:
                return Fate.PASS


def _is_at_rest(release: Release) -> bool:
    return bool(release.namespace.status("reply")["attempt"]["state"] == "Ended")


def _steps(rollout: Journal) -> list[int]:
    """The indices of the steps that the status went through, each once as long as it lasted."""
    passed: list[int] = []
    for state in rollout.states():
        step = state.get("status", {}).get("attempt", {}).get("step")
        if step is not None and passed[-1:] != [step["index"]]:
            passed.append(step["index"])
    return passed
