"""What people ask for in mid-attempt: supersede, abort, approve, pause, resume, promote, retry, the kill switch."""

import pytest

from tests.integration import resources
from tests.integration.releases import Release
from tests.integration.routers import weights
from tests.integration.waiting import eventually

TWO_LONG_STEPS = [{"weight": 10, "holdFor": "1h"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]
PAUSING = resources.check(critical={"above": "5%", "action": "Pause"})
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def at_ten(release: Release) -> Release:
    """v2 is at 10 % and would stay there for an hour."""
    release.begins()
    release.of("v2", steps=TWO_LONG_STEPS)
    release.is_shown(v1=90, v2=10)
    return release


def test_a_newer_version_supersedes_one_in_flight_and_starts_from_the_first_step(at_ten: Release) -> None:
    journal = at_ten.router.history(at_ten.namespace)
    at_ten.of("v3")
    status = at_ten.ends_stable("v3")
    assert [(entry["version"], entry["outcome"]) for entry in status["history"]] == [
        ("v3", "Promoted"),
        ("v2", "Superseded"),
    ]
    assert "rejected" not in status or status["rejected"] == []
    assert weights(at_ten.router, journal) == [10, 0, 10, 25, 50, 100, 0]


def test_pointing_back_at_stable_ends_the_attempt_and_rejects_nothing(at_ten: Release) -> None:
    at_ten.of("v1", steps=TWO_LONG_STEPS)
    at_ten.is_shown(v1=100)
    status = at_ten.wait(phase="Idle")
    assert status["attempt"]["outcome"] == "Aborted"
    assert not status.get("rejected")
    at_ten.of("v2")
    at_ten.ends_stable("v2")


def test_an_abort_takes_everybody_back_and_rejects(at_ten: Release) -> None:
    at_ten.namespace.annotate("reply", abort="1")
    status = at_ten.ends_rolled_back("v2")
    assert "aborted" in status["attempt"]["reason"]


def test_an_abort_of_another_attempt_does_nothing(at_ten: Release) -> None:
    at_ten.namespace.annotate("reply", abort="2")
    at_ten.namespace.annotate("reply", promote="1")
    status = at_ten.ends_stable("v2")
    assert status["history"][0]["outcome"] == "Promoted"


def test_an_abort_works_while_paused(at_ten: Release) -> None:
    at_ten.of("v2", steps=TWO_LONG_STEPS, paused=True)
    at_ten.wait(phase="Paused")
    at_ten.namespace.annotate("reply", abort="1")
    at_ten.ends_rolled_back("v2")


def test_a_bad_version_is_taken_back_while_paused(at_ten: Release) -> None:
    at_ten.of("v2", steps=TWO_LONG_STEPS, paused=True)
    at_ten.wait(phase="Paused")
    at_ten.is_bad("v2")
    at_ten.ends_rolled_back("v2")


def test_paused_stops_rises_until_it_is_taken_away(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.STEPS, paused=True)
    release.wait(phase="Paused")
    assert release.namespace.condition("Rollout", "reply", "Paused")["status"] == "True"
    assert release.shares() == {"v1": 100}
    release.of("v2")
    release.ends_stable("v2")


def test_a_step_that_needs_approval_is_entered_only_when_it_is_given(release: Release) -> None:
    release.begins()
    steps = [
        {"weight": 10},
        {"weight": 50, "approval": "Required"},
        {"name": "all", "weight": 100, "approval": "Required"},
    ]
    release.of("v2", steps=steps)
    release.wait(phase="AwaitingApproval")
    release.namespace.annotate("reply", approve="1/all")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "Approved" in reasons)
    assert release.shares() == {"v1": 90, "v2": 10}
    release.namespace.annotate("reply", approve="1/50")
    release.ends_stable("v2")


def test_a_gate_that_pauses_waits_for_resume(release: Release) -> None:
    release.namespace.apply(resources.gate(PAUSING))
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    status = release.wait(phase="Paused")
    assert status["weight"] == 10
    assert release.namespace.condition("Rollout", "reply", "Paused")["reason"] == "Gate"
    release.is_good("v2")
    release.namespace.annotate("reply", resume="1")
    release.ends_stable("v2")
    assert {"PausedByGate", "Resumed"} <= set(release.namespace.reasons("reply"))


def test_promote_goes_through_the_remaining_steps_without_their_holds(at_ten: Release) -> None:
    journal = at_ten.router.history(at_ten.namespace)
    at_ten.namespace.annotate("reply", promote="1")
    at_ten.ends_stable("v2")
    assert weights(at_ten.router, journal) == [10, 50, 100, 0]


def test_promote_does_not_step_over_harm(at_ten: Release) -> None:
    at_ten.is_bad("v2")
    at_ten.namespace.annotate("reply", promote="1")
    eventually(lambda: at_ten.namespace.status("reply"), lambda status: status["phase"] in ("RolledBack", "Idle"))
    at_ten.ends_rolled_back("v2")


@pytest.mark.parametrize(("switch", "shown"), [("Stable", "v1"), ("Legacy", "legacy")])
def test_the_kill_switch_moves_everybody_at_once_and_off_raises_nothing(
    at_ten: Release, switch: str, shown: str
) -> None:
    at_ten.of("v2", steps=TWO_LONG_STEPS, killSwitch=switch)
    at_ten.is_shown(**{shown: 100})
    at_ten.wait(phase="Killed")
    at_ten.of("v2", steps=TWO_LONG_STEPS)
    at_ten.is_shown(v1=100)
    stalled = eventually(
        lambda: at_ten.namespace.condition("Rollout", "reply", "Stalled"), lambda seen: seen["reason"] == "Rejected"
    )
    assert "headgate retry reply" in stalled["message"]
    assert at_ten.shares() == {"v1": 100}


def test_a_rejected_version_is_tried_again_after_a_retry(release: Release) -> None:
    release.begins()
    release.is_bad("v2")
    release.of("v2")
    release.ends_rolled_back("v2")
    release.is_good("v2")
    release.namespace.annotate("reply", retry="1")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "RetryAllowed" in reasons)
    release.of("v2")
    status = release.ends_stable("v2")
    assert status["attempt"]["number"] == 2


def test_edits_to_the_steps_count_from_the_next_attempt(at_ten: Release) -> None:
    at_ten.of("v2", steps=[{"weight": 99, "holdFor": "1h"}, {"weight": 100}])
    at_ten.namespace.wait("reply", lambda status: status["observedGeneration"] == 3)
    assert at_ten.shares() == {"v1": 90, "v2": 10}
    at_ten.namespace.annotate("reply", abort="1")
    at_ten.ends_rolled_back("v2")
    at_ten.of("v3", steps=[{"weight": 99, "holdFor": "1h"}, {"weight": 100}])
    at_ten.is_shown(v1=1, v3=99)
