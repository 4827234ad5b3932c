"""What people ask for is heard although a watch loses, doubles, delays or mixes up what it brings, or ends."""

from collections.abc import Callable

import pytest

from tests.integration import resources
from tests.integration.conftest import MakeOperator
from tests.integration.fault_proxy import Asked, Fate, FaultProxy
from tests.integration.journal import Journal
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import weights
from tests.integration.waiting import eventually
from tests.integration.watch_meddling import expired, late, lost, mixed_up
from tests.integration.watch_streams import GONE, Meddle

WITH_APPROVAL = [{"weight": 10}, {"weight": 50, "approval": "Required"}, {"weight": 100}]
KINDS = ("/rollouts", "/promptversions", "/qualitygates", "/configmaps")


@pytest.fixture
def operator(proxy: FaultProxy, make_operator: MakeOperator) -> OperatorProcess:
    """An operator whose lists come often, so that a test need not wait for long."""
    operator = make_operator(proxy.kubeconfig, watches={"resync": "2s"})
    # kopf says whenever the answer to a watch ends in a way that it did not expect.
    operator.tolerates = ("kopf",)
    return operator


# The others are in the matrix of `make faults`, with other releases.
@pytest.mark.parametrize("fault", [lost, late, mixed_up, expired], ids=lambda fault: fault.__name__)
def test_all_that_people_do_is_done_once(
    proxy: FaultProxy, operator: OperatorProcess, release: Release, fault: Callable[[], Meddle]
) -> None:
    for kind in KINDS:
        proxy.watches.meddle(kind, fault)
    operator.start()
    release.begins()
    flag, rollout = release.router.history(release.namespace), Journal(release.namespace, "Rollout", "reply")

    release.of("v2", steps=WITH_APPROVAL)
    release.wait(phase="AwaitingApproval")
    release.namespace.annotate("reply", approve="1/50")
    release.ends_stable("v2")

    release.of("v3", steps=resources.ONE_LONG_STEP)
    release.is_at("v3", 10)
    release.namespace.annotate("reply", abort="2")
    release.ends_rolled_back("v3", stable="v2")

    release.namespace.annotate("reply", retry="2")
    eventually(lambda: release.namespace.status("reply"), lambda status: not status.get("rejected"))
    release.of("v3", steps=resources.ONE_LONG_STEP)
    release.is_at("v3", 10)
    release.of("v3", steps=resources.ONE_LONG_STEP, killSwitch="Stable")
    release.is_shown(v2=100)
    killed = release.wait(phase="Killed")

    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.wait(phase="RolledBack")
    release.of("v1", steps=resources.ONE_LONG_STEP)
    release.is_at("v1", 10)
    release.namespace.delete("Rollout", "reply")
    release.is_shown(v2=100)

    assert [each["outcome"] for each in reversed(killed["history"])] == ["Promoted", "RolledBack", "RolledBack"]
    assert [each["version"] for each in killed["rejected"]] == ["v3"]
    assert weights(release.router, flag) == [0, 10, 50, 100, 0, 10, 0, 10, 0, 10, 0]
    assert steps(rollout) == [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0), (4, 0)]


def steps(rollout: Journal) -> list[tuple[int, int]]:
    """The attempt and step that the status went through, each once as long as it lasted."""
    passed: list[tuple[int, int]] = []
    for state in rollout.states():
        attempt = state.get("status", {}).get("attempt", {})
        if "step" in attempt and passed[-1:] != [(attempt["number"], attempt["step"]["index"])]:
            passed.append((attempt["number"], attempt["step"]["index"]))
    return passed


@pytest.fixture
def unhurried(proxy: FaultProxy, make_operator: MakeOperator) -> OperatorProcess:
    """An operator as it is configured by itself: its next list of everything comes long after the test."""
    operator = make_operator(proxy.kubeconfig)
    operator.tolerates = ("kopf",)
    operator.start()
    return operator


def goes(proxy: FaultProxy, path: str) -> None:
    """The watch expires, and begins anew only after what the test does meanwhile."""

    def hold(asked: Asked) -> Fate:
        return Fate.HOLD if asked.is_("GET", path) and not asked.watches else Fate.PASS

    proxy.strike(hold)
    proxy.watches.say(path, GONE)
    proxy.struck()


def comes_back(proxy: FaultProxy, operator: OperatorProcess, kind: str) -> None:
    """The watch begins anew, and the list that finds what is gone was read: what people do next comes after it."""

    def lists() -> float:
        return operator.metric("headgate_api_requests_total", verb="GET", kind=kind, result="ok")

    before = lists()
    proxy.strike(lambda _asked: Fate.PASS)
    assert proxy.release() == 200
    eventually(lists, lambda now: now > before)


def test_a_rollout_that_is_deleted_while_its_watch_remembers_nothing_leaves_everybody_on_stable(
    proxy: FaultProxy, unhurried: OperatorProcess, release: Release
) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_shown(v1=90, v2=10)
    goes(proxy, "/rollouts")
    release.namespace.delete("Rollout", "reply")
    comes_back(proxy, unhurried, "Rollout")
    release.is_shown(v1=100)


def test_a_version_that_is_deleted_while_its_watch_remembers_nothing_is_known_to_be_gone(
    proxy: FaultProxy, unhurried: OperatorProcess, release: Release
) -> None:
    release.begins()
    goes(proxy, "/promptversions")
    release.namespace.delete("PromptVersion", "v3")
    comes_back(proxy, unhurried, "PromptVersion")
    release.of("v3")
    eventually(lambda: release.namespace.condition("Rollout", "reply", "Stalled"), lambda seen: "v3" in seen["message"])
    assert release.shares() == {"v1": 100}


def test_a_gate_that_is_deleted_while_its_watch_remembers_nothing_judges_nobody(
    proxy: FaultProxy, unhurried: OperatorProcess, release: Release
) -> None:
    release.begins()
    goes(proxy, "/qualitygates")
    release.namespace.delete("QualityGate", "quality")
    comes_back(proxy, unhurried, "QualityGate")
    release.of("v2")
    release.wait(phase="Verifying")
    release.namespace.apply(resources.gate())
    release.ends_stable("v2")


def test_a_flag_that_is_deleted_while_its_watch_remembers_nothing_is_written_again(
    proxy: FaultProxy, unhurried: OperatorProcess, release: Release
) -> None:
    release.begins()
    goes(proxy, "/configmaps")
    release.namespace.delete("ConfigMap", "flags")
    comes_back(proxy, unhurried, "ConfigMap")
    release.is_shown(v1=100)
