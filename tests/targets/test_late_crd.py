"""A kind that the configuration allows and nobody has installed yet: no error, and found when it comes."""

from collections.abc import Iterator

import pytest

from headgate.local.control_plane import ControlPlane
from tests.controller.kube import PATHS, Kube
from tests.controller.process import OperatorProcess
from tests.targets.inference_service import ALLOWED, crd, service
from tests.targets.ranking import Ranking, rollout, version_of

LATE = "late.example.com"


@pytest.fixture
def operator(
    tmp_path_factory: pytest.TempPathFactory, plane: ControlPlane, prometheus: str
) -> Iterator[OperatorProcess]:
    """Its configuration allows a kind whose CRD is not there."""
    allowed = [{**ALLOWED[0], "apiVersion": f"{LATE}/v1beta1"}]
    process = OperatorProcess(tmp_path_factory.mktemp("late"), plane.kubeconfig, prometheus, targets=allowed)
    process.start()
    yield process
    process.stop()


@pytest.mark.usefixtures("operator")
def test_a_crd_that_comes_late_is_found(
    ranking: Ranking, kube: Kube, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rollout()
    wanted["spec"]["target"]["apiVersion"] = f"{LATE}/v1beta1"
    kube.apply(wanted)
    assert "install its CRD" in ranking.stalled("TargetNotServed")
    late = crd()
    late["metadata"]["name"] = f"inferenceservices.{LATE}"
    late["spec"]["group"] = LATE
    plane.api.install_crds([late])
    # What is served is looked up at each change of a CRD; the last one may come a moment before it is served.
    late["metadata"]["labels"] = {"served": "true"}
    plane.api.install_crds([late])
    monkeypatch.setitem(PATHS, "InferenceService", f"/apis/{LATE}/v1beta1/namespaces/{{}}/inferenceservices")
    target = {**service(), "apiVersion": f"{LATE}/v1beta1"}
    kube.apply(target, manager="git")
    ranking.wait_for(lambda found: found["stable"]["version"] == version_of(target), timeout=40)
    ranking.wait_for_weight(0)
