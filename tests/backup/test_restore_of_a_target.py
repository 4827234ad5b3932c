"""A Rollout of a custom resource that was lost and restored: its snapshots with it, and its way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.backup.place import Place
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.widget import ALLOWED, Widget, crd, widget

NO_PROMETHEUS = "http://127.0.0.1:9"


@pytest.fixture
def operator(tmp_path: Path, plane: ControlPlane) -> Iterator[OperatorProcess]:
    plane.api.install_crds([crd()])
    process = OperatorProcess(tmp_path, plane.kubeconfig, NO_PROMETHEUS, targets=ALLOWED)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def ours(operator: OperatorProcess, kube: Kube) -> Widget:
    """One is stable, nine was rejected, and two is at 10 % when the operator is stopped."""
    found = Widget(kube)
    found.begin(widget(model="one"), "spec.model")
    found.edit(model="nine")
    found.wait_for_weight(10)
    found.abort()
    found.edit(model="two")
    found.wait_for(lambda status: status["attempts"] == 2 and status["attempt"]["step"])
    found.wait_for_weight(10)
    operator.stop()
    return found


def lose(kube: Kube, place: Place) -> None:
    for name in kube.names("ControllerRevision"):
        kube.delete("ControllerRevision", name)
    place.lose_everything()


def test_the_attempt_goes_on_and_is_taken_back_from_the_restored_snapshot(
    ours: Widget, kube: Kube, operator: OperatorProcess, place: Place
) -> None:
    before, held, snapshots = ours.status, ours.spec, kube.names("ControllerRevision")
    place.save()
    lose(kube, place)
    assert place.restore().exit_code == 0
    assert kube.names("ControllerRevision") == snapshots
    operator.start()
    uid = kube.get("Rollout", "widget")["metadata"]["uid"]
    annotations = kube.get("Widget", "widget")["metadata"]["annotations"]
    assert uid not in annotations["headgate.dev/widget"]
    wait_until(
        lambda: uid in kube.get("Widget", "widget")["metadata"]["annotations"]["headgate.dev/widget"],
        timeout=40,
        otherwise=lambda: str(ours.status),
    )
    assert (ours.spec, ours.status["attempt"]["startedAt"]) == (held, before["attempt"]["startedAt"])
    ours.abort(2)
    assert ours.spec == {"model": "one", "weight": 0}


def test_what_was_rejected_is_exposed_to_nobody_when_it_comes_back_under_another_uid(
    ours: Widget, kube: Kube, operator: OperatorProcess, place: Place
) -> None:
    place.save()
    lose(kube, place)
    kube.delete("Widget", "widget")
    assert place.restore().exit_code == 0
    kube.apply(widget(model="nine", weight=10), manager="git")
    operator.start()
    ours.wait_for_weight(0)
    assert "was rejected in attempt 1" in ours.stalled("Rejected")
    assert ours.status["stable"]["version"] in kube.names("ControllerRevision")
