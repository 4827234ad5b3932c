"""The main job, end to end: a real API server, a real Prometheus, the operator as a process of its own."""

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube, Requests
from tests.controller.process import OperatorProcess
from tests.controller.waiting import flag, is_stable, wait_for, wait_for_stage, weight_shown

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def app(kube: Kube, quality: Quality) -> str:
    """An application in the namespace whose v1 is stable and whose v2 is ready to be released."""
    name = kube.namespace
    for version in ("v1", "v2", "v3"):
        quality.set(name, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.gate(app=name))
    kube.apply(documents.rollout("v1"))
    wait_for(kube, is_stable("v1"))
    wait_until(lambda: "reply-flags" in kube.names("ConfigMap"), timeout=10, otherwise=lambda: "no flag was delivered")
    return name


def test_a_good_version_reaches_everybody(kube: Kube, app: str) -> None:
    kube.apply(documents.rollout("v2"))
    after = wait_for(kube, is_stable("v2"))
    assert after["history"][0]["outcome"] == "Promoted"
    wait_until(
        lambda: flag(kube)["variants"]["stable"]["version"] == "v2", timeout=10, otherwise=lambda: str(flag(kube))
    )
    for version, stage in (("v2", "Stable"), ("v1", "Deprecated"), ("v3", "Draft")):
        wait_for_stage(kube, version, stage)


def test_a_bad_version_is_taken_back_and_the_spec_with_it(kube: Kube, app: str, quality: Quality) -> None:
    quality.set(app, "v2", 9)
    kube.apply(documents.rollout("v2"))
    after = wait_for(kube, lambda found: found["phase"] == "RolledBack")
    rollout = kube.get("Rollout", "reply")
    assert rollout["spec"]["prompt"]["version"] == "v1"
    assert weight_shown(kube) == 0
    assert [rejection["version"] for rejection in after["rejected"]] == ["v2"]
    assert not [
        entry
        for entry in rollout["metadata"]["managedFields"]
        if entry["manager"] == "headgate" and "subresource" not in entry
    ]


def test_after_a_revert_the_next_version_is_applied_without_force(kube: Kube, app: str, quality: Quality) -> None:
    quality.set(app, "v2", 9)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    kube.apply(documents.rollout("v3"))
    wait_for(kube, is_stable("v3"))


def test_a_rejected_version_that_is_applied_again_reaches_nobody(kube: Kube, app: str, quality: Quality) -> None:
    quality.set(app, "v2", 9)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    quality.set(app, "v2", 1)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, lambda found: any(each["reason"] == "Rejected" for each in found["conditions"]))
    assert weight_shown(kube) == 0


def test_a_whole_rollout_costs_at_most_twenty_requests(plane: ControlPlane, kube: Kube, app: str) -> None:
    requests = Requests(plane.audit_log, kube.namespace)
    kube.apply(documents.rollout("v2"))
    wait_for(kube, is_stable("v2"))
    wait_until(lambda: "Promoted" in kube.reasons(), timeout=10, otherwise=lambda: str(kube.reasons()))
    asked = [request for request in requests.of_the_operator() if "promptversions" not in request]
    assert len(asked) <= 20, "\n".join(asked)


def test_a_deletion_in_mid_attempt_puts_everybody_on_stable(kube: Kube, app: str) -> None:
    kube.apply(documents.rollout("v2", steps=[{"weight": 50, "holdFor": "1h"}, {"weight": 100}]))
    wait_until(lambda: weight_shown(kube) == 50, timeout=15, otherwise=lambda: str(flag(kube)))
    kube.delete("Rollout", "reply")
    wait_until(lambda: weight_shown(kube) == 0, timeout=10, otherwise=lambda: str(flag(kube)))


def test_the_operator_ends_within_seconds_when_it_is_asked_to(operator: OperatorProcess) -> None:
    assert operator.stop() == 0
    operator.start()
