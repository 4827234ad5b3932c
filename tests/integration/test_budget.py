"""What a release costs the API server, counted from its audit log by the operator's identity: Events included."""

import time
from collections import Counter

import pytest

from tests.integration import resources
from tests.integration.audit import AuditLog, Request
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, Route, Router
from tests.integration.waiting import eventually

MOST_IN_A_ROLLOUT = 20
A_MOMENT, SOME_SECONDS = 1.0, 6.0


def of_the_rollout(requests: list[Request]) -> list[Request]:
    """PromptVersion and QualityGate status are counted apart from the budget."""
    return [request for request in requests if not request.path.endswith(("/status",)) or "/rollouts/" in request.path]


@pytest.mark.parametrize("router", [FlagInConfigMap(), Route()], ids=["ConfigMap", "HTTPRoute"])
def test_a_rollout_of_four_steps_and_a_bake_costs_at_most_twenty_requests(
    operator: OperatorProcess, release: Release, audit: AuditLog, router: Router
) -> None:
    release.begins(router)
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "FirstVersion" in reasons)
    before = len(audit.requests())
    release.of("v2", bakeFor="1s")
    release.ends_stable("v2")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "Promoted" in reasons)
    cost = of_the_rollout(audit.requests()[before:])
    assert len(cost) <= MOST_IN_A_ROLLOUT, "\n".join(map(str, cost))
    assert Counter(request.verb for request in cost).keys() <= {"create", "patch"}, "\n".join(map(str, cost))


def test_a_bad_release_costs_at_most_twenty_requests_too(
    operator: OperatorProcess, release: Release, audit: AuditLog
) -> None:
    release.begins()
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "FirstVersion" in reasons)
    before = len(audit.requests())
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "RolledBack" in reasons)
    cost = of_the_rollout(audit.requests()[before:])
    assert len(cost) <= MOST_IN_A_ROLLOUT, "\n".join(map(str, cost))


def test_at_rest_it_asks_for_nothing_at_all(operator: OperatorProcess, release: Release, audit: AuditLog) -> None:
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    _is_quiet(audit, 0)


def test_between_two_steps_it_asks_for_nothing_while_it_measures(
    operator: OperatorProcess, release: Release, audit: AuditLog
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    measured = operator.metric("headgate_questions_total")
    _is_quiet(audit, 0)
    assert operator.metric("headgate_questions_total") >= measured + SOME_SECONDS - 2


def test_a_restart_at_rest_writes_nothing(operator: OperatorProcess, release: Release, audit: AuditLog) -> None:
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    eventually(
        lambda: release.namespace.get("PromptVersion", "v1")["status"]["stage"], lambda seen: seen == "Deprecated"
    )
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "Promoted" in reasons)
    operator.stop()
    before = len([request for request in audit.requests() if request.writes])
    operator.start()
    release.of("v2", steps=[{"weight": 33}, {"weight": 100}])
    release.wait(observedGeneration=3)
    writes = [request for request in audit.requests() if request.writes][before:]
    assert [request.path.rsplit("/", 3)[1:] for request in writes] == [["rollouts", "reply", "status"]]


def _is_quiet(audit: AuditLog, most: int) -> None:
    """It comes to rest, and then makes at most so many requests in some seconds."""
    eventually(lambda: _requests_within(audit, A_MOMENT), lambda requests: not requests)
    new = _requests_within(audit, SOME_SECONDS)
    assert len(new) <= most, "\n".join(map(str, new))


def _requests_within(audit: AuditLog, seconds: float) -> list[Request]:
    """That nothing happens in a span of time is the one thing that only time itself can show."""
    before, end = len(audit.requests()), time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= end)
    return audit.requests()[before:]
