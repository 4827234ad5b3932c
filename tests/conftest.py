"""The real parts that tests share: one API server, one Prometheus and one set of metrics for each pytest worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.api.crds import documents
from headgate.local import gateway_api
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.delivery.openfeature_crd import CRD as FEATURE_FLAG_CRD
from tests.integration import service_account
from tests.integration.cluster import Server
from tests.integration.metrics import Application


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server with RBAC, headgate's CRDs, HTTPRoute's and FeatureFlag's."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as started:
        started.api.install_crds([*documents(), *gateway_api.documents(), FEATURE_FLAG_CRD])
        yield started


@pytest.fixture(scope="session")
def application() -> Iterator[Application]:
    """The metrics that Prometheus scrapes."""
    serving = Application()
    yield serving
    serving.close()


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory, application: Application) -> Iterator[PrometheusServer]:
    """A Prometheus that is never stopped: a test that needs an outage starts one of its own."""
    directory = tmp_path_factory.mktemp("prometheus")
    with PrometheusServer(directory, {"application": [application.address]}, scrape_interval="250ms") as server:
        yield server


@pytest.fixture(scope="session")
def server(control_plane: ControlPlane) -> Iterator[Server]:
    asked = Server(control_plane)
    yield asked
    asked.close()


@pytest.fixture(scope="session")
def operator_kubeconfig(server: Server) -> Path:
    """The kubeconfig of a ServiceAccount that has the shipped rights wherever a test allows them."""
    return service_account.install(server)
