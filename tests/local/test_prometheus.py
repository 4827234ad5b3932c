"""A real Prometheus scrapes what its target files name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from headgate.local.errors import LocalError
from headgate.local.prometheus import PrometheusServer
from headgate.local.waiting import wait_until

RULES = """
groups:
- name: self
  rules:
  - {record: up:sum, expr: sum(up)}
"""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[PrometheusServer]:
    with PrometheusServer(tmp_path, scrape_interval="200ms", rules=RULES) as started:
        yield started


def wait_for(server: PrometheusServer, query: str, value: str) -> None:
    answers: list[object] = []

    def is_answered() -> bool:
        answer = requests.get(f"{server.url}/api/v1/query", params={"query": query}, timeout=5).json()
        answers.append(answer)
        return [sample["value"][1] for sample in answer["data"]["result"]] == [value]

    wait_until(is_answered, timeout=20, otherwise=lambda: f"{query}: {answers[-1]}")


def test_targets_and_rules_are_followed_without_a_restart(prometheus: PrometheusServer) -> None:
    prometheus.set_targets("itself", [prometheus.url.removeprefix("http://")])
    wait_for(prometheus, 'up{job="itself"}', "1")
    wait_for(prometheus, "up:sum", "1")
    prometheus.set_targets("itself", [])
    wait_for(prometheus, "absent(up)", "1")


def test_a_configuration_that_is_wrong_is_refused_and_the_old_one_serves_on(prometheus: PrometheusServer) -> None:
    prometheus.reload()
    prometheus.configuration.write_text("global: {scrape_interval: often}")
    with pytest.raises(LocalError, match=r"^Prometheus does not take .*prometheus\.yml: see its log in "):
        prometheus.reload()
    wait_for(prometheus, "vector(1)", "1")


def test_what_the_user_wrote_is_kept(tmp_path: Path) -> None:
    written = yaml.safe_dump({"global": {"external_labels": {"cluster": "mine"}}})
    (tmp_path / "prometheus.yml").write_text(written)
    with PrometheusServer(tmp_path, keep_configuration=True):
        assert (tmp_path / "prometheus.yml").read_text() == written


def test_an_outage_ends_at_the_same_address(prometheus: PrometheusServer) -> None:
    address, (process,) = prometheus.url, prometheus.processes
    prometheus.stop()
    assert not process.is_running()
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)
    prometheus.start()
    assert prometheus.url == address
    wait_for(prometheus, "vector(1)", "1")


def test_a_wrong_configuration_at_the_start_is_told_in_one_line(tmp_path: Path) -> None:
    server = PrometheusServer(tmp_path, scrape_interval="often")
    with pytest.raises(LocalError, match=r"^prometheus ended while starting: .*often.*prometheus\.log\)$"):
        server.start()
    assert server.processes == ()
