import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.api.crds import documents as crds
from headgate.local.control_plane import ControlPlane
from tests.controller import documents
from tests.controller.conftest import prometheus, quality  # noqa: F401 - fixtures
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.waiting import is_stable, wait_for
from tests.integration.fault_proxy import FaultProxy
from tests.replicas.audit import Audit
from tests.replicas.installation import NAMES, Installation
from tests.replicas.replica import ReplicaProcess

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        plane.api.install_crds(crds())
        yield plane


@pytest.fixture(scope="module")
def installation(plane: ControlPlane) -> Iterator[Installation]:
    made = Installation(plane)
    yield made
    made.close()


@pytest.fixture
def replicas(
    tmp_path: Path,
    installation: Installation,
    prometheus: str,  # noqa: F811
) -> Iterator[list[ReplicaProcess]]:
    """Two of them, not started yet."""
    installation.forget_lease()
    made = []
    for name in NAMES:
        directory = tmp_path / name
        directory.mkdir()
        made.append(ReplicaProcess(directory, name, installation.kubeconfigs[name], prometheus))
    yield made
    for replica in made:
        replica.clear_away()


@pytest.fixture
def leader(replicas: list[ReplicaProcess]) -> ReplicaProcess:
    replicas[0].start("leader")
    return replicas[0]


@pytest.fixture
def standby(replicas: list[ReplicaProcess], leader: ReplicaProcess) -> ReplicaProcess:
    replicas[1].start("standby")
    return replicas[1]


@pytest.fixture
def proxy(tmp_path: Path, plane: ControlPlane, installation: Installation) -> Iterator[FaultProxy]:
    """A way to the API server for one replica, on which requests can be lost."""
    standing = FaultProxy(plane, tmp_path, installation.kubeconfigs[NAMES[0]])
    yield standing
    standing.close()


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    """A namespace of the test's own."""
    return Kube(plane, f"team-{next(_numbers)}")


@pytest.fixture
def audit(plane: ControlPlane) -> Audit:
    return Audit(plane.audit_log)


@pytest.fixture
def app(kube: Kube, quality: Quality, leader: ReplicaProcess) -> str:  # noqa: F811
    """An application whose v1 is stable and whose v2 may be released."""
    for version in ("v1", "v2"):
        quality.set(kube.namespace, version, 1)
        kube.apply(documents.version(version))
    kube.apply(documents.gate(app=kube.namespace))
    kube.apply(documents.rollout("v1"))
    wait_for(kube, is_stable("v1"))
    return kube.namespace
