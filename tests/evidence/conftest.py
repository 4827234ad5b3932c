from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from headgate.local.prometheus import PrometheusServer
from headgate.local.waiting import wait_until
from tests.evidence.exporter import Exporter
from tests.evidence.faults import FaultServer
from tests.evidence.oracle import Oracle


@pytest.fixture(scope="session")
def prometheus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that has scraped the exporter."""
    exporter = Exporter()
    directory: Path = tmp_path_factory.mktemp("prometheus")
    try:
        with PrometheusServer(directory, {"llm": [exporter.address]}, scrape_interval="1s") as server:

            def has_scraped() -> bool:
                answer = requests.get(f"{server.url}/api/v1/query", params={"query": "latency_count"}, timeout=5).json()
                return bool(answer["data"]["result"])

            wait_until(has_scraped, timeout=20, otherwise=lambda: "nothing was scraped")
            yield server.url
    finally:
        exporter.close()


@pytest.fixture(scope="session")
def oracle(prometheus_url: str) -> Oracle:
    return Oracle(prometheus_url)


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()
