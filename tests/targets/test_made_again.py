"""A Rollout that is deleted and made again for another target while no operator runs, on a real API server."""

from collections.abc import Iterator

import pytest

from headgate.local.control_plane import ControlPlane
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.widget import Widget, operating, rollout, widget


@pytest.fixture
def operator(tmp_path_factory: pytest.TempPathFactory, plane: ControlPlane) -> Iterator[OperatorProcess]:
    yield from operating(tmp_path_factory.mktemp("widgets"), plane)


def test_the_old_target_shows_the_candidate_to_nobody(operator: OperatorProcess, kube: Kube) -> None:
    ours = Widget(kube)
    ours.begin(widget(model="one"), "spec.model")
    kube.apply({**widget(model="another"), "metadata": {"name": "other"}}, manager="git")
    ours.edit(model="two")
    ours.wait_for_weight(10)
    operator.kill()
    kube.delete("Rollout", "widget")
    again = rollout("spec.model")
    again["spec"]["target"]["name"] = "other"
    kube.apply(again)
    operator.start()
    ours.wait_for(lambda found: found["phase"] == "Idle")
    ours.wait_for_weight(0)
    assert kube.get("Widget", "other")["spec"]["model"] == "another"
