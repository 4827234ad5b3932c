import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.api.crds import documents as crds
from headgate.local.control_plane import ControlPlane
from tests.backup.place import Place
from tests.controller.conftest import prometheus, quality  # noqa: F401 - fixtures
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane"), rbac=False) as plane:
        plane.api.install_crds(crds())
        yield plane


@pytest.fixture
def operator(
    tmp_path: Path,
    plane: ControlPlane,
    prometheus: str,  # noqa: F811
) -> Iterator[OperatorProcess]:
    process = OperatorProcess(tmp_path, plane.kubeconfig, prometheus)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    """A namespace of the test's own."""
    return Kube(plane, f"team-{next(_numbers)}")


@pytest.fixture
def place(tmp_path: Path, plane: ControlPlane, kube: Kube) -> Place:
    return Place(plane, kube, tmp_path / "headgate.json")
