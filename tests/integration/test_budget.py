"""What a release costs the API server, counted from its audit log by the operator's identity: Events included."""

from collections import Counter

import pytest

from tests.integration import resources
from tests.integration.audit import AuditLog, Request
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, Route, Router
from tests.integration.waiting import eventually

MOST_IN_A_ROLLOUT = 20
SOME_SECONDS = 6.0


def of_the_rollout(requests: list[Request]) -> list[Request]:
    """PromptVersion and QualityGate status are counted apart from the budget."""
    return [request for request in requests if not request.path.endswith(("/status",)) or "/rollouts/" in request.path]


@pytest.mark.parametrize("router", [FlagInConfigMap(), Route()], ids=["ConfigMap", "HTTPRoute"])
def test_a_rollout_of_four_steps_and_a_bake_costs_at_most_twenty_requests(
    operator: OperatorProcess, release: Release, audit: AuditLog, router: Router
) -> None:
    release.begins(router)
    audit.rests()
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
    audit.rests()
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
    _asks_for_nothing(audit)


def test_between_two_steps_it_asks_for_nothing_while_it_measures(
    operator: OperatorProcess, release: Release, audit: AuditLog
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    measured = operator.metric("headgate_questions_total")
    _asks_for_nothing(audit)
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


def _asks_for_nothing(audit: AuditLog) -> None:
    """It comes to rest and stays there."""
    audit.rests()
    new = audit.requests_within(SOME_SECONDS)
    assert not new, "\n".join(map(str, new))
