"""Example 02, applied unchanged: an edit of the model is the release, and its alert takes it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local import processes
from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.alerts.posts import Sender
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.inference_service import ALLOWED, crd, service
from tests.targets.ranking import Ranking, example, model

TOKEN = "a-token-of-the-example"


@pytest.fixture
def listening(tmp_path: Path) -> str:
    return f"127.0.0.1:{processes.free_port()}"


@pytest.fixture
def operator(tmp_path: Path, plane: ControlPlane, prometheus: str, listening: str) -> Iterator[OperatorProcess]:
    plane.api.install_crds([crd()])
    token = tmp_path / "token"
    token.write_text(TOKEN)
    alerts = {"listen": listening, "tokens": [{"file": str(token), "namespaces": ["ai"]}]}
    process = OperatorProcess(tmp_path, plane.kubeconfig, prometheus, targets=ALLOWED, alerts=alerts)
    process.start()
    yield process
    process.stop()


@pytest.mark.usefixtures("operator")
def test_its_alert_takes_the_edit_back(plane: ControlPlane, quality: Quality, listening: str) -> None:
    wanted = example()
    kube = Kube(plane, wanted["metadata"]["namespace"])
    ranking = Ranking(kube, quality)
    for number in (1, 2):
        ranking.is_good(service(model(number)))
    kube.apply(documents.gate("ranker-quality", app="ai"))
    kube.apply(service(), manager="git")
    applied = kube.apply(wanted)["spec"]
    ranking.wait_for(lambda found: found["phase"] == "Idle" and found["stable"])
    ranking.wait_for_weight(0)
    kube.apply(service(model(2)), manager="git")
    ranking.wait_for_weight(10)
    ranking.wait_for(lambda found: found["weight"] == 10)
    sender = Sender(f"http://{listening}/alerts", TOKEN)
    wait_until(lambda: sender.fire() == 200, timeout=20, otherwise=lambda: "the alert is not received")
    after = ranking.wait_for(lambda found: found["phase"] == "RolledBack")
    assert after["attempt"]["reason"].startswith("alert: RankerBurningBudget")
    assert (ranking.storage, ranking.weight) == (model(1), 0)
    assert kube.get("Rollout", "ranker")["spec"] == applied
    # Whoever keeps the object in Git applies the next model without force.
    kube.apply(service(model(1)), manager="git")
