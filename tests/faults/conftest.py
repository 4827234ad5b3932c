"""The place of all runs of these tests: the shared servers, with a proxy and a prepared operator of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.faults.world import Place, place
from tests.integration.metrics import Application


@pytest.fixture(scope="session")
def here(
    tmp_path_factory: pytest.TempPathFactory,
    control_plane: ControlPlane,
    prometheus: PrometheusServer,
    application: Application,
    operator_kubeconfig: Path,
) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("faults")
    with place(control_plane, prometheus, application, operator_kubeconfig, directory) as found:
        yield found
