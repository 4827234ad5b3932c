"""The main job while things fall over: kills, restarts, other writers, hostile neighbours, a lost API server."""

from typing import Any

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube, Requests
from tests.controller.process import OperatorProcess
from tests.controller.waiting import flag, has_weight, is_stable, wait_for, weight_shown

pytestmark = pytest.mark.usefixtures("operator")


def release_v1(kube: Kube, quality: Quality, steps: list[dict[str, Any]] | None = None) -> str:
    for version in ("v1", "v2", "v3"):
        quality.set(kube.namespace, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.gate(app=kube.namespace))
    kube.apply(documents.rollout("v1", steps=steps))
    wait_for(kube, is_stable("v1"))
    return kube.namespace


STEPS: list[dict[str, Any]] = [{"weight": weight, "holdFor": "2s"} for weight in (10, 25, 50, 100)]


def test_a_kill_at_each_step_neither_skips_nor_repeats_one(
    operator: OperatorProcess, kube: Kube, quality: Quality
) -> None:
    release_v1(kube, quality, steps=STEPS)
    kube.apply(documents.rollout("v2", steps=STEPS))
    for weight in (10, 25, 50, 100):
        wait_for(kube, has_weight(weight))
        operator.kill()
        assert kube.get("Rollout", "reply")["status"]["weight"] == weight
        operator.start()
    wait_for(kube, is_stable("v2"))
    told = [each["message"] for each in kube.every("Event") if each["reason"] in ("AttemptStarted", "StepEntered")]
    # A kill may swallow an Event, never the step that it tells of; told twice would be a step taken twice.
    assert len(told) == len(set(told))


def test_a_kill_in_the_way_back_is_finished_after_the_restart(
    operator: OperatorProcess, kube: Kube, quality: Quality
) -> None:
    app = release_v1(kube, quality, steps=STEPS)
    kube.apply(documents.rollout("v2", steps=STEPS))
    wait_for(kube, lambda found: found["weight"] == 25)
    quality.set(app, "v2", 9)
    wait_for(kube, lambda found: found["phase"] in ("RollingBack", "RolledBack"))
    operator.kill()
    operator.start()
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    rollout = kube.get("Rollout", "reply")
    assert rollout["spec"]["prompt"]["version"] == "v1"
    assert weight_shown(kube) == 0
    kube.apply(documents.rollout("v3", steps=STEPS))


def test_an_abort_is_obeyed_while_somebody_writes_the_object_all_the_time(kube: Kube, quality: Quality) -> None:
    release_v1(kube, quality)
    kube.apply(documents.rollout("v2", steps=[{"weight": 50, "holdFor": "1h"}, {"weight": 100}]))
    wait_for(kube, lambda found: found["weight"] == 50)
    kube.annotate("reply", abort="1")
    for count in range(40):
        kube.patch("Rollout", "reply", {"metadata": {"annotations": {"somebody.example/count": str(count)}}})
    wait_for(kube, lambda found: found["phase"] == "RolledBack", timeout=10)
    assert weight_shown(kube) == 0


def test_a_deleted_and_recreated_rollout_does_not_expose_what_was_rejected(kube: Kube, quality: Quality) -> None:
    app = release_v1(kube, quality)
    quality.set(app, "v2", 9)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    kube.delete("Rollout", "reply")
    quality.set(app, "v2", 1)
    kube.apply(documents.rollout("v2"))
    found = wait_for(kube, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    assert found["stable"]["version"] == "v1"
    assert weight_shown(kube) == 0


def test_a_rollout_deleted_while_the_operator_is_down_is_put_at_stable_at_the_start(
    operator: OperatorProcess, kube: Kube, quality: Quality
) -> None:
    release_v1(kube, quality)
    kube.apply(documents.rollout("v2", steps=[{"weight": 50, "holdFor": "1h"}, {"weight": 100}]))
    wait_until(lambda: weight_shown(kube) == 50, timeout=15, otherwise=lambda: str(flag(kube)))
    operator.kill()
    kube.delete("Rollout", "reply")
    operator.start()
    wait_until(lambda: weight_shown(kube) == 0, timeout=15, otherwise=lambda: str(flag(kube)))


def test_a_gate_that_is_missing_holds_until_it_appears(kube: Kube, quality: Quality) -> None:
    for version in ("v1", "v2"):
        quality.set(kube.namespace, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.rollout("v1"))
    wait_for(kube, is_stable("v1"))
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: found["phase"] == "Verifying")
    kube.apply(documents.gate(app=kube.namespace))
    wait_for(kube, is_stable("v2"))


def test_a_huge_and_a_nonsensical_object_stall_only_themselves(kube: Kube, quality: Quality) -> None:
    huge = documents.version("huge")
    huge["spec"]["messages"] = [{"role": "user", "content": "x" * 190_000} for _ in range(5)]
    kube.apply(huge)
    kube.apply(documents.rollout("nowhere", name="astray"))
    release_v1(kube, quality)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, is_stable("v2"))
    wait_for(kube, lambda found: found["phase"] == "Invalid", name="astray")


def test_at_rest_nothing_is_asked_and_nothing_written(plane: ControlPlane, kube: Kube, quality: Quality) -> None:
    release_v1(kube, quality)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, is_stable("v2"))
    wait_until(
        lambda: kube.get("PromptVersion", "v1")["status"]["stage"] == "Deprecated", timeout=10, otherwise=lambda: ""
    )
    wait_until(lambda: "Promoted" in kube.reasons(), timeout=10, otherwise=lambda: str(kube.reasons()))
    other = Kube(plane, f"{kube.namespace}-busy")
    requests = Requests(plane.audit_log, kube.namespace)
    # Something else that lasts longer than any retry or period of this namespace would.
    release_v1(other, quality)
    other.apply(documents.rollout("v2"))
    wait_for(other, is_stable("v2"))
    assert requests.of_the_operator() == []


def test_an_outage_of_the_api_server_is_survived(plane: ControlPlane, kube: Kube, quality: Quality) -> None:
    release_v1(kube, quality, steps=STEPS)
    kube.apply(documents.rollout("v2", steps=STEPS))
    wait_for(kube, lambda found: found["weight"] == 10)
    plane.kill_api_server()
    plane.restart_api_server()
    wait_for(kube, is_stable("v2"), timeout=60)
