"""A namespace, an operator in it and an application with three versions: what almost every test begins with."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.integration import service_account
from tests.integration.audit import AuditLog
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.fault_proxy import FaultProxy
from tests.integration.metrics import Application
from tests.integration.operator_process import OperatorProcess, launch
from tests.integration.releases import Release

_numbers = itertools.count(1)

MakeOperator = Callable[..., OperatorProcess]


@pytest.fixture
def namespace(server: Server, request: pytest.FixtureRequest, operator_kubeconfig: Path) -> Namespace:
    """A namespace of the test's own, in which the operator has its rights."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].strip("-")
    made = Namespace.made(server, f"{words}-{next(_numbers)}")
    service_account.allow_in(made)
    return made


@pytest.fixture
def audit(namespace: Namespace) -> AuditLog:
    """What the operator asks in this namespace from now on."""
    return AuditLog(namespace.server, namespace.name, service_account.USER)


@pytest.fixture
def sources(prometheus: PrometheusServer) -> list[Document]:
    """The sources of the operator's configuration."""
    return [{"name": "default", "url": prometheus.url, "timeout": "2s"}]


@pytest.fixture
def make_operator(
    tmp_path_factory: pytest.TempPathFactory, namespace: Namespace, operator_kubeconfig: Path, sources: list[Document]
) -> Iterator[MakeOperator]:
    """Makes operators for this namespace, not started yet; at the end of the test all of them must have been sound."""
    made: list[OperatorProcess] = []
    audit = AuditLog(namespace.server, namespace.name, service_account.USER)

    def make(
        kubeconfig: Path = operator_kubeconfig, sources: list[Document] = sources, **configured: object
    ) -> OperatorProcess:
        directory = tmp_path_factory.mktemp("operator")
        made.append(OperatorProcess(directory, kubeconfig, sources, namespace.name, launch=launch, **configured))
        return made[-1]

    yield make
    for operator in made:
        operator.stop()
    for operator in made:
        assert operator.troubles() == []
    if not any(operator.may_be_refused for operator in made):
        assert [str(request) for request in audit.requests() if request.status == 403] == []


@pytest.fixture
def operator(make_operator: MakeOperator) -> OperatorProcess:
    """An operator that starts now; whoever applies something meanwhile finds out that it works then too."""
    started = make_operator()
    started.begin()
    return started


@pytest.fixture
def proxy(
    tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane, operator_kubeconfig: Path
) -> Iterator[FaultProxy]:
    """A way to the API server on which requests can be lost."""
    standing = FaultProxy(control_plane, tmp_path_factory.mktemp("proxy"), operator_kubeconfig)
    yield standing
    standing.close()


@pytest.fixture
def release(namespace: Namespace, application: Application, prometheus: PrometheusServer) -> Release:
    """Versions v1, v2 and v3 and a gate; all versions answer well until the test says otherwise."""
    return Release(namespace, application, prometheus)
