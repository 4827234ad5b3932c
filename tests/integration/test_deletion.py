"""Deleted Rollouts leave everybody on stable, and what was rejected stays rejected for a later one of that name."""

import pytest

from tests.integration import resources
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route, Router, weights
from tests.integration.waiting import eventually

ROUTERS = pytest.mark.parametrize(
    "router", [FlagInConfigMap(), FlagInFeatureFlag(), Route()], ids=["ConfigMap", "FeatureFlag", "HTTPRoute"]
)


def at_ten(release: Release, router: Router | None = None) -> None:
    """v2 is at 10 % and would stay there for an hour."""
    release.begins(router)
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)


@ROUTERS
def test_deleted_in_mid_attempt_everybody_gets_stable(
    operator: OperatorProcess, release: Release, router: Router
) -> None:
    at_ten(release, router)
    release.namespace.delete("Rollout", "reply")
    release.is_shown(v1=100)
    assert release.namespace.find("Rollout", "reply") == {}


@ROUTERS
def test_deleted_while_the_operator_is_down_everybody_gets_stable_when_it_is_back(
    operator: OperatorProcess, release: Release, router: Router
) -> None:
    at_ten(release, router)
    operator.kill()
    release.namespace.delete("Rollout", "reply")
    assert release.shares() == {"v1": 90, "v2": 10}
    operator.start()
    release.is_shown(v1=100)


def test_created_again_with_a_rejected_version_it_shows_that_to_nobody(
    operator: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    release.is_good("v2")
    journal = release.router.history(release.namespace)
    release.namespace.delete("Rollout", "reply")
    release.of("v2")
    stalled = eventually(
        lambda: release.namespace.condition("Rollout", "reply", "Stalled"), lambda seen: seen["reason"] == "Rejected"
    )
    assert "v2" in stalled["message"]
    status = release.namespace.status("reply")
    assert (status["stable"]["version"], status["weight"]) == ("v1", 0)
    assert weights(release.router, journal) == [0]
    release.of("v3")
    release.ends_stable("v3")


def test_created_again_in_mid_attempt_it_starts_anew_from_the_stable_that_was(
    operator: OperatorProcess, release: Release
) -> None:
    at_ten(release)
    journal = release.router.history(release.namespace)
    release.namespace.delete("Rollout", "reply")
    release.is_shown(v1=100)
    release.of("v2")
    release.ends_stable("v2")
    assert weights(release.router, journal) == [10, 0, 10, 25, 50, 100, 0]


def test_deleted_and_created_again_while_the_operator_is_down_a_rejected_version_is_still_shown_to_nobody(
    operator: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    operator.kill()
    release.namespace.delete("Rollout", "reply")
    release.of("v2")
    operator.start()
    eventually(
        lambda: release.namespace.condition("Rollout", "reply", "Stalled"), lambda seen: seen["reason"] == "Rejected"
    )
    assert release.shares() == {"v1": 100}


def test_a_status_that_was_lost_is_taken_up_again(operator: OperatorProcess, release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    path = release.namespace.path("Rollout", "reply") + "/status?fieldManager=vandal"
    release.namespace.server.send("PATCH", path, {"status": None}, "application/merge-patch+json")
    status = release.namespace.wait("reply", lambda seen: seen["stable"]["version"] == "v1" and bool(seen["rejected"]))
    assert status["rejected"][0]["version"] == "v2"
    assert "Recovered" in eventually(lambda: release.namespace.reasons("reply"), lambda seen: "Recovered" in seen)
    assert release.shares() == {"v1": 100}


def test_a_revert_needs_neither_version_nor_gate_to_exist_any_more(operator: OperatorProcess, release: Release) -> None:
    at_ten(release)
    for kind, name in (("PromptVersion", "v1"), ("PromptVersion", "v2"), ("QualityGate", "quality")):
        release.namespace.delete(kind, name)
    release.is_bad("v2")
    release.ends_rolled_back("v2")
    value = FlagInConfigMap().flag(release.namespace)["variants"]["stable"]
    assert value["compiled"] == "v1-compiled"


def test_a_version_that_comes_back_with_other_content_is_refused(operator: OperatorProcess, release: Release) -> None:
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    release.namespace.delete("PromptVersion", "v1")
    release.namespace.apply(resources.version("v1", text="Something else."))
    ready = eventually(
        lambda: release.namespace.condition("PromptVersion", "v1", "Ready"), lambda seen: seen["status"] == "False"
    )
    assert "give new content a new name" in ready["message"]
    release.of("v1")
    eventually(
        lambda: release.namespace.condition("Rollout", "reply", "Stalled"), lambda seen: seen["status"] == "True"
    )
    assert release.shares() == {"v2": 100}
