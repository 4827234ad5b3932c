import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess

_CRDS = Path(__file__).parents[2] / "crds"
_names = itertools.count(1)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane"), rbac=False) as plane:
        plane.api.install_crds(yaml.safe_load(file.read_text()) for file in sorted(_CRDS.glob("*.yaml")))
        yield plane


@pytest.fixture(scope="session")
def quality() -> Iterator[Quality]:
    exporter = Quality()
    yield exporter
    exporter.close()


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory, quality: Quality) -> Iterator[str]:
    with PrometheusServer(tmp_path_factory.mktemp("prometheus"), {"app": [quality.address]}) as server:
        yield server.url


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory, plane: ControlPlane, prometheus: str
) -> Iterator[OperatorProcess]:
    process = OperatorProcess(tmp_path_factory.mktemp("operator"), plane.kubeconfig, prometheus)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    """A namespace of the test's own."""
    return Kube(plane, f"team-{next(_names)}")
