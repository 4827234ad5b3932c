from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from tests.controller.conftest import plane, prometheus, quality  # noqa: F401 - fixtures
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.inference_service import ALLOWED, crd
from tests.targets.ranking import Ranking

_names = iter(range(1, 1000))


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    plane: ControlPlane,  # noqa: F811
    prometheus: str,  # noqa: F811
) -> Iterator[OperatorProcess]:
    plane.api.install_crds([crd()])
    directory: Path = tmp_path_factory.mktemp("operator")
    process = OperatorProcess(directory, plane.kubeconfig, prometheus, targets=ALLOWED)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:  # noqa: F811
    """A namespace of the test's own."""
    return Kube(plane, f"ranking-{next(_names)}")


@pytest.fixture
def ranking(kube: Kube, quality: Quality) -> Ranking:  # noqa: F811
    return Ranking(kube, quality)
