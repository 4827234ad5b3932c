"""Two releases of headgate side by side: what the newer one wrote survives the older one, or does no harm."""

import copy
from typing import Any

import pytest

from headgate.api.crds import documents as crds
from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.kube import Kube
from tests.controller.waiting import is_stable, wait_for, weight_shown
from tests.replicas.replica import ReplicaProcess

APPROVED = [{"weight": 10}, {"weight": 50, "approval": "Required"}, {"weight": 100}]


@pytest.fixture
def newer_crds(plane: ControlPlane) -> None:
    """A newer release knows a field more in the status and in its attempt, a phase more and a state more."""
    newer: Any = copy.deepcopy(crds())
    [rollouts] = [each for each in newer if each["metadata"]["name"] == "rollouts.headgate.dev"]
    status = rollouts["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    status["novelty"] = {"type": "string"}
    status["phase"]["enum"].append("Pondering")
    status["attempt"]["properties"]["novelty"] = {"type": "string"}
    status["attempt"]["properties"]["state"]["enum"].append("Pondering")
    plane.api.install_crds(newer)


@pytest.fixture
def at_ten(newer_crds: None, app: str, kube: Kube) -> Kube:
    """v2 is at 10 % and waits for somebody's agreement."""
    kube.apply(documents.rollout("v2", steps=APPROVED))
    wait_for(kube, lambda found: found["phase"] == "AwaitingApproval")
    return kube


def test_what_a_newer_release_wrote_into_the_status_survives_the_steps_of_an_older_one(
    leader: ReplicaProcess, at_ten: Kube
) -> None:
    newer = {"novelty": "of all", "attempt": {"novelty": "of this attempt"}, "phase": "Pondering"}
    at_ten.patch("Rollout", "reply", {"status": newer}, subresource="status")
    at_ten.annotate("reply", approve="1/50")
    after = wait_for(at_ten, is_stable("v2"))
    assert (after["novelty"], after["attempt"]["novelty"]) == ("of all", "of this attempt")
    assert [each["outcome"] for each in after["history"]] == ["Promoted"]
    assert after["attempt"]["number"] == 1
    entered = [each["message"] for each in at_ten.every("Event") if each["reason"] == "StepEntered"]
    assert len(entered) == len(set(entered))


def test_an_attempt_that_an_older_release_cannot_read_begins_anew_from_its_first_step(
    leader: ReplicaProcess, at_ten: Kube
) -> None:
    newer = {"attempt": {"state": "Pondering", "novelty": "of the first attempt"}}
    at_ten.patch("Rollout", "reply", {"status": newer}, subresource="status")
    after = wait_for(at_ten, lambda found: found["attempt"]["number"] == 2 and found["phase"] == "AwaitingApproval")
    assert after["stable"]["version"] == "v1"
    assert after["attempt"]["step"]["index"] == 0
    assert "novelty" not in after["attempt"]
    assert weight_shown(at_ten) == 10
    at_ten.annotate("reply", abort="2")
    wait_for(at_ten, lambda found: found["phase"] == "RolledBack")
    assert weight_shown(at_ten) == 0


def test_a_way_back_that_an_older_release_cannot_read_leaves_everybody_on_stable(
    leader: ReplicaProcess, at_ten: Kube
) -> None:
    status = at_ten.get("Rollout", "reply")["status"]
    candidate = status["attempt"]["candidate"]
    rejection = {**candidate, "attempt": 1, "reason": "a newer reason", "at": status["attempt"]["startedAt"]}
    newer = {"weight": 0, "attempt": {"state": "Pondering"}, "rejected": [rejection]}
    at_ten.patch("Rollout", "reply", {"status": newer}, subresource="status")
    wait_until(lambda: weight_shown(at_ten) == 0, timeout=15, otherwise=lambda: str(weight_shown(at_ten)))
    after = wait_for(at_ten, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    assert after["stable"]["version"] == "v1"
    assert weight_shown(at_ten) == 0
