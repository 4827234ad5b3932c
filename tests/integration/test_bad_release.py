"""A bad version is taken back by itself: the traffic, and the spec with it."""

import pytest

from tests.integration import resources
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route, Router, weights
from tests.integration.waiting import eventually

ROUTERS = pytest.mark.parametrize(
    "router", [FlagInConfigMap(), FlagInFeatureFlag(), Route()], ids=["ConfigMap", "FeatureFlag", "HTTPRoute"]
)
HALF = [{"weight": 10, "holdFor": "500ms"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]
pytestmark = pytest.mark.usefixtures("operator")


@ROUTERS
def test_everybody_is_back_on_stable_and_the_spec_too(release: Release, router: Router) -> None:
    release.begins(router)
    journal = router.history(release.namespace)
    release.is_bad("v2")
    release.of("v2")
    status = release.ends_rolled_back("v2")
    assert weights(router, journal) == [0, 10, 0]
    assert status["attempt"]["outcome"] == "RolledBack"
    assert "quality/errors: 0.2" in status["attempt"]["reason"]
    assert status["stable"]["version"] == "v1"


def test_one_that_breaks_at_50_percent_is_taken_back_from_there(release: Release) -> None:
    release.begins()
    journal = release.router.history(release.namespace)
    release.of("v2", steps=HALF)
    release.is_shown(v1=50, v2=50)
    release.is_bad("v2")
    release.ends_rolled_back("v2")
    assert weights(release.router, journal) == [0, 10, 50, 0]


def test_its_events_warn_and_say_what_was_measured(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "RolledBack" in reasons)
    reasons = [reason for reason in release.namespace.reasons("reply") if reason != "Verifying"]
    assert reasons == ["FirstVersion", "AttemptStarted", "RollingBack", "RolledBack"]
    warnings = {
        event["reason"]: event["message"] for event in release.namespace.events("reply") if event["type"] == "Warning"
    }
    assert warnings.keys() == {"RollingBack", "RolledBack"}
    assert "quality/errors: 0.2" in warnings["RolledBack"]


def test_the_release_has_failed_for_whoever_waits_for_it(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    stalled = release.namespace.condition("Rollout", "reply", "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "RolledBack")
    assert release.namespace.condition("Rollout", "reply", "Ready")["status"] == "False"
    assert release.namespace.condition("Rollout", "reply", "Delivered")["status"] == "True"


def test_the_next_version_is_applied_without_force_since_headgate_owns_nothing_of_the_spec(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    managed = release.namespace.get("Rollout", "reply")["metadata"]["managedFields"]
    owners = {entry["manager"] for entry in managed if not entry.get("subresource")}
    assert owners == {"kubectl"}
    release.of("v3")
    status = release.ends_stable("v3")
    assert [entry["outcome"] for entry in status["history"]] == ["Promoted", "RolledBack"]


def test_a_field_that_somebody_edited_meanwhile_survives_the_revert(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_at("v2", 10)
    release.namespace.patch("Rollout", "reply", {"spec": {"bakeFor": "7m"}, "metadata": {"labels": {"team": "ai"}}})
    release.is_bad("v2")
    release.ends_rolled_back("v2")
    rollout = release.namespace.get("Rollout", "reply")
    assert rollout["spec"]["bakeFor"] == "7m"
    assert rollout["metadata"]["labels"] == {"team": "ai"}


def test_a_warning_is_told_and_stops_nothing(release: Release) -> None:
    release.begins()
    release.answers("v2", requests=1000, errors=30)
    release.of("v2")
    release.ends_stable("v2")
    assert "CheckWarning" in release.namespace.reasons("reply")


def test_two_bad_releases_in_a_row_leave_both_rejected(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.is_bad("v3")
    release.of("v2")
    release.ends_rolled_back("v2")
    release.of("v3")
    release.wait(attempts=2)
    status = release.ends_rolled_back("v3")
    assert {rejection["version"] for rejection in status["rejected"]} == {"v2", "v3"}
