"""Two operators on one control plane, with the rights that are shipped: one decides, whatever happens to it."""

import time

from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.kube import Kube
from tests.controller.waiting import has_weight, is_stable, wait_for, weight_shown
from tests.replicas.audit import Audit
from tests.replicas.installation import Installation
from tests.replicas.replica import ReplicaProcess

STEPS = [{"weight": 10, "holdFor": "2s"}, {"weight": 50, "holdFor": "20s"}, {"weight": 100, "holdFor": "2s"}]
LONG = [{"weight": 50, "holdFor": "1h"}, {"weight": 100}]
HAND_OVER = 15.0


def test_one_decides_and_the_other_stands_by(
    leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    kube.apply(documents.rollout("v2"))
    wait_for(kube, is_stable("v2"))
    assert leader.ready() == (200, "leader")
    assert standby.ready() == (200, "standby")
    assert leader.healthy() == standby.healthy() == (200, "ok")
    assert (leader.metric("headgate_leader"), standby.metric("headgate_leader")) == (1, 0)
    assert audit.writes_by(leader.user)
    assert audit.writes_by(standby.user) == []


def test_a_leader_that_is_killed_in_mid_attempt_is_followed_and_the_attempt_goes_on(
    leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube
) -> None:
    kube.apply(documents.rollout("v2", steps=STEPS))
    wait_for(kube, has_weight(50))
    leader.kill()
    standby.becomes("leader", within=HAND_OVER)
    assert standby.metric("headgate_leader") == 1
    assert wait_for(kube, lambda found: found["weight"] != 50)["weight"] == 100
    after = wait_for(kube, is_stable("v2"))
    assert after["history"][0]["outcome"] == "Promoted"
    entered = [each["message"] for each in kube.every("Event") if each["reason"] == "StepEntered"]
    assert len(entered) == len(set(entered))


def test_a_new_leader_obeys_what_was_asked_while_nobody_led(
    leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube
) -> None:
    kube.apply(documents.rollout("v2", steps=LONG))
    wait_until(lambda: weight_shown(kube) == 50, timeout=15, otherwise=lambda: str(weight_shown(kube)))
    leader.kill()
    kube.delete("Rollout", "reply")
    wait_until(lambda: weight_shown(kube) == 0, timeout=HAND_OVER, otherwise=lambda: str(weight_shown(kube)))


def test_a_leader_that_slept_and_wakes_writes_nothing(
    leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    # When it wakes, the next step is overdue and no gate is to be asked: it would commit that at once.
    kube.apply(documents.rollout("v2", gates=[], steps=[{"weight": 50, "holdFor": "4s"}, {"weight": 100}]))
    wait_until(lambda: weight_shown(kube) == 50, timeout=15, otherwise=lambda: str(weight_shown(kube)))
    leader.freeze()
    asleep = audit.writes_by(leader.user)
    kube.annotate("reply", abort="1")
    standby.becomes("leader", within=HAND_OVER)
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert weight_shown(kube) == 0
    before = kube.get("Rollout", "reply")
    leader.thaw()
    assert leader.ends() == 1
    assert "this process ends" in leader.log.read_text()
    assert audit.writes_by(leader.user) == asleep
    assert weight_shown(kube) == 0
    assert kube.get("Rollout", "reply")["spec"] == before["spec"]
    assert kube.get("Rollout", "reply")["status"] == before["status"]


def test_a_rolling_upgrade_hands_over_at_once(
    leader: ReplicaProcess, replicas: list[ReplicaProcess], app: str, kube: Kube, installation: Installation
) -> None:
    kube.apply(documents.rollout("v2", steps=STEPS))
    wait_for(kube, has_weight(10))
    new = replicas[1]
    new.start("standby")
    leader.terminate()
    asked = time.monotonic()
    new.becomes("leader", within=8)
    # Sooner than a Lease that was not given back would have let it.
    assert time.monotonic() - asked < 7
    assert leader.ends() == 0
    assert installation.lease()["leaseTransitions"] == 1
    wait_for(kube, is_stable("v2"), timeout=60)


def test_a_leader_outlives_an_outage_of_its_standby(leader: ReplicaProcess, standby: ReplicaProcess) -> None:
    standby.terminate()
    assert standby.ends() == 0
    assert leader.ready() == (200, "leader")
