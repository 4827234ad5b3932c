"""A leader that is stopped or cut off in the midst of its work: the next one finishes it, and nothing late sticks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube, Refused
from tests.controller.waiting import has_weight, is_stable, wait_for, weight_shown
from tests.integration.fault_proxy import Asked, Fate, FaultProxy
from tests.replicas.audit import Audit
from tests.replicas.installation import NAMES, Installation
from tests.replicas.replica import ReplicaProcess

HAND_OVER = 15.0
ROUTERS = ("reply", "second")
DELIVERY = [documents.flag_delivery(name) for name in ROUTERS]
APPROVED = [{"weight": 10}, {"weight": 50, "approval": "Required", "holdFor": "1h"}, {"weight": 100}]
OVERDUE = [{"weight": 10, "holdFor": "4s"}, {"weight": 100}]


@pytest.fixture
def leader(
    tmp_path: Path, replicas: list[ReplicaProcess], proxy: FaultProxy, prometheus: str
) -> Iterator[ReplicaProcess]:
    """The first replica, whose requests go through the proxy."""
    directory = tmp_path / "by-proxy"
    directory.mkdir()
    made = replicas[0] = ReplicaProcess(directory, NAMES[0], proxy.kubeconfig, prometheus)
    made.start("leader")
    yield made
    made.clear_away()


@pytest.fixture
def app(kube: Kube, quality: Quality, leader: ReplicaProcess) -> str:
    """v1 is stable, delivered by two routers."""
    for version in ("v1", "v2", "v3"):
        quality.set(kube.namespace, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.gate(app=kube.namespace))
    kube.apply(documents.rollout("v1", delivery=DELIVERY))
    wait_for(kube, is_stable("v1"))
    return kube.namespace


def shown(kube: Kube) -> list[int]:
    """The candidate's share in each router."""
    try:
        return [weight_shown(kube, name) for name in ROUTERS]
    except Refused:
        return []


def are_at(kube: Kube, *weights: int) -> None:
    wait_until(lambda: shown(kube) == [*weights], timeout=30, otherwise=lambda: str(shown(kube)))


def hold(proxy: FaultProxy, path: str) -> None:
    """Holds the next write to that object."""
    proxy.strike(lambda asked: Fate.HOLD if asked.is_("PATCH", path) else Fate.PASS)


def lose_everything(proxy: FaultProxy) -> None:
    """The API server is not to be reached any more from there, and says nothing either."""
    proxy.strike(lambda _asked: Fate.DROP)
    proxy.watches.silence("")


def state(kube: Kube) -> tuple[object, ...]:
    rollout = kube.get("Rollout", "reply")
    return (rollout["spec"], rollout["status"], shown(kube))


def this_moment() -> str:
    """As the audit log writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def sticks(audit: Audit, leader: ReplicaProcess, since: str) -> list[str]:
    """What the old leader wrote after that moment and was granted."""
    return [str(write) for write in audit.writes_by(leader.user) if write.at > since and write.status < 300]


def left_alone(kube: Kube, before: tuple[object, ...], audit: Audit, leader: ReplicaProcess, since: str) -> None:
    """Everything is as it was before the old leader woke, which was granted no write since it slept."""
    assert sticks(audit, leader, since) == []
    assert state(kube) == before


@pytest.mark.parametrize("path", ["/configmaps/second-flags", "/configmaps/reply-flags"])
def test_a_leader_stopped_between_two_routers_of_a_rise_leaves_none_of_them_up(
    proxy: FaultProxy,
    leader: ReplicaProcess,
    standby: ReplicaProcess,
    app: str,
    kube: Kube,
    audit: Audit,
    path: str,
) -> None:
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    hold(proxy, path)
    kube.annotate("reply", approve="1/50")
    proxy.struck()
    wait_until(lambda: sorted(shown(kube)) == [10, 50], timeout=15, otherwise=lambda: str(shown(kube)))
    leader.freeze()
    stopped = this_moment()
    kube.annotate("reply", abort="1")
    standby.becomes("leader", within=HAND_OVER)
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert shown(kube) == [0, 0]
    before = state(kube)
    proxy.strike(lambda _asked: Fate.PASS)
    assert proxy.release() == 409
    leader.thaw()
    assert leader.ends() == 1
    left_alone(kube, before, audit, leader, stopped)


def test_a_leader_stopped_in_the_middle_of_a_way_back_is_followed_by_one_that_ends_it(
    proxy: FaultProxy, leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    hold(proxy, "/configmaps/second-flags")
    kube.annotate("reply", abort="1")
    proxy.struck()
    wait_for(kube, lambda found: found["phase"] == "RollingBack")
    leader.freeze()
    stopped = this_moment()
    standby.becomes("leader", within=HAND_OVER)
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert shown(kube) == [0, 0]
    assert kube.get("Rollout", "reply")["spec"]["prompt"]["version"] == "v1"
    # By now another one is tried: the old leader's zero is one that nobody wants any more.
    kube.apply(documents.rollout("v3", delivery=DELIVERY, steps=APPROVED))
    wait_for(kube, lambda found: found["phase"] == "AwaitingApproval")
    before = state(kube)
    assert shown(kube) == [10, 10]
    proxy.strike(lambda _asked: Fate.PASS)
    assert proxy.release() == 409
    leader.thaw()
    assert leader.ends() == 1
    left_alone(kube, before, audit, leader, stopped)


def test_a_leader_stopped_before_it_restores_the_spec_restores_nothing_when_it_wakes(
    proxy: FaultProxy, leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    hold(proxy, "/rollouts/reply")
    kube.annotate("reply", abort="1")
    proxy.struck()
    leader.freeze()
    stopped = this_moment()
    standby.becomes("leader", within=HAND_OVER)
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    # People want it again, and say so: the old leader's restore would take it away from them.
    kube.annotate("reply", retry="1")
    wait_for(kube, lambda found: not found.get("rejected"))
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    spec = kube.get("Rollout", "reply")["spec"]
    proxy.strike(lambda _asked: Fate.PASS)
    proxy.release()
    leader.thaw()
    assert leader.ends() == 1
    assert kube.get("Rollout", "reply")["spec"] == spec
    assert sticks(audit, leader, stopped) == []
    assert shown(kube) == [10, 10]


def test_a_leader_that_alone_cannot_reach_the_api_server_is_followed_and_writes_nothing_when_it_can_again(
    proxy: FaultProxy, leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    # The next step is overdue by the time that it is back, and no gate is to be asked.
    kube.apply(documents.rollout("v2", delivery=DELIVERY, gates=[], steps=OVERDUE))
    are_at(kube, 10, 10)
    lose_everything(proxy)
    stopped = this_moment()
    kube.annotate("reply", abort="1")
    standby.becomes("leader", within=HAND_OVER)
    assert (leader.metric("headgate_leader"), leader.ready()) == (0, (200, "standby"))
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert shown(kube) == [0, 0]
    before = state(kube)
    proxy.strike(lambda _asked: Fate.PASS)
    assert leader.ends() == 1
    assert "this process ends" in leader.log.read_text()
    left_alone(kube, before, audit, leader, stopped)


def test_a_leader_asked_to_end_in_the_middle_of_a_way_back_hands_it_over(
    proxy: FaultProxy, leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube
) -> None:
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    hold(proxy, "/configmaps/second-flags")
    kube.annotate("reply", abort="1")
    proxy.struck()
    leader.terminate()
    standby.becomes("leader", within=HAND_OVER)
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert leader.ends() == 0
    assert shown(kube) == [0, 0]
    before = state(kube)
    assert proxy.release() == 409
    assert state(kube) == before


def test_a_lease_that_somebody_deletes_leaves_one_leader_in_the_end(
    leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, installation: Installation
) -> None:
    installation.forget_lease()
    assert leader.ends() == 1
    standby.becomes("leader", within=HAND_OVER)
    leader.start("standby")
    kube.apply(documents.rollout("v2", delivery=DELIVERY))
    wait_for(kube, is_stable("v2"))


def test_a_lease_that_a_stranger_holds_and_never_renews_is_taken(
    replicas: list[ReplicaProcess], installation: Installation
) -> None:
    installation.hold_lease_for(
        "\u2603 somebody/else", leaseDurationSeconds=5, renewTime="9999-12-31T23:59:59.000000Z", leaseTransitions=7
    )
    replicas[1].start("standby")
    replicas[1].becomes("leader", within=HAND_OVER)
    assert installation.lease()["leaseTransitions"] == 8


def test_no_weight_is_written_twice_by_two_leaders(
    proxy: FaultProxy, leader: ReplicaProcess, standby: ReplicaProcess, app: str, kube: Kube, audit: Audit
) -> None:
    """The answer to a rise is lost together with its leader: the next one finds it done."""
    kube.apply(documents.rollout("v2", delivery=DELIVERY, steps=APPROVED))
    are_at(kube, 10, 10)
    lost: list[Asked] = []

    def swallow(asked: Asked) -> Fate:
        if asked.is_("PATCH", "/rollouts/reply/status"):
            lost.append(asked)
            return Fate.SWALLOW
        return Fate.PASS

    proxy.strike(swallow)
    kube.annotate("reply", approve="1/50")
    wait_for(kube, has_weight(50))
    leader.kill()
    standby.becomes("leader", within=HAND_OVER)
    are_at(kube, 50, 50)
    steps = [each["message"] for each in kube.every("Event") if each["reason"] == "StepEntered"]
    assert len(steps) == len(set(steps))
    assert kube.get("Rollout", "reply")["status"]["attempt"]["number"] == 1
    assert weight_shown(kube) == 50
