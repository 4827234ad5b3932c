"""kill -9 between two writes: no step is skipped, none is repeated. At each write: tests/faults."""

from tests.integration import resources
from tests.integration.journal import Journal
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import Route, weights


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


def _steps(rollout: Journal) -> list[int]:
    """The indices of the steps that the status went through, each once as long as it lasted."""
    passed: list[int] = []
    for state in rollout.states():
        step = state.get("status", {}).get("attempt", {}).get("step")
        if step is not None and passed[-1:] != [step["index"]]:
            passed.append(step["index"])
    return passed
