"""The service as a real process under real traffic: it follows its flag, and its metrics tell the versions apart."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from headgate.local import processes
from headgate.local.demo import flag_sync
from headgate.local.demo.companies import COMPANIES
from headgate.local.demo.tally import Tally
from headgate.local.waiting import wait_until
from tests.demo.flag_documents import document


@dataclass(frozen=True)
class Running:
    flags: Path
    url: str

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/metrics", timeout=5).ok
        except requests.ConnectionError:
            return False

    def tally(self) -> Tally:
        return Tally.model_validate_json(requests.get(f"{self.url}/tally", timeout=5).content)

    def reply(self, company: str) -> requests.Response:
        return requests.post(f"{self.url}/reply", json={"company": company}, timeout=5)

    def metric(self, name: str, **labels: str) -> float:
        text = requests.get(f"{self.url}/metrics", timeout=5).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    def until(self, condition: Callable[[Tally], bool]) -> None:
        wait_until(lambda: condition(self.tally()), timeout=30, otherwise=lambda: str(self.tally()))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    with ExitStack() as ended:

        def starting(*, weight: int, traffic: bool = True) -> Running:
            running = Running(tmp_path / "flags.json", f"http://127.0.0.1:{(port := processes.free_port())}")
            flag_sync.replace(running.flags, document(weight=weight))
            programs = [("service", ["--flags", str(running.flags), "--port", str(port)])]
            if traffic:
                programs.append(("load", ["--url", running.url, "--per-company", "5"]))
            for name, arguments in programs:
                command = [sys.executable, "-m", f"headgate.local.demo.{name}", *arguments]
                process = processes.start(name, command, tmp_path / f"{name}.log")
                ended.callback(process.stop)
            wait_until(running.answers, timeout=30, otherwise=lambda: "the service does not answer")
            return running

        yield starting


def test_every_company_gets_what_the_flag_says_while_it_changes(start: Callable[..., Running]) -> None:
    running = start(weight=0)
    running.until(lambda tally: tally.on("support-reply-v7") == len(COMPANIES))

    flag_sync.replace(running.flags, document(weight=25))
    running.until(lambda tally: tally.on("support-reply-v9") >= 5)
    at_25 = {name for name, company in running.tally().companies.items() if company.arm == "candidate"}

    flag_sync.replace(running.flags, document(weight=100))
    running.until(lambda tally: tally.on("support-reply-v9") == len(COMPANIES))
    assert 5 <= len(at_25) <= 15

    before = running.tally()
    flag_sync.replace(running.flags, document(weight=0))
    running.until(lambda tally: tally.on("support-reply-v7") == len(COMPANIES))
    running.until(lambda tally: tally.served_since(before, COMPANIES))


def test_the_metrics_show_that_the_bad_version_errs_on_a_fifth(start: Callable[..., Running]) -> None:
    running = start(weight=50)
    running.until(lambda tally: all(v.evaluations > 300 for v in tally.versions.values()) and len(tally.versions) == 2)

    def rate(version: str) -> float:
        labels = {"app": "support-reply", "version": version}
        return running.metric("llm_errors_total", **labels) / running.metric("llm_requests_total", **labels)

    assert rate("support-reply-v9") == pytest.approx(0.2, abs=0.03)
    assert rate("support-reply-v7") < 0.01
    for version in ("support-reply-v7", "support-reply-v9"):
        labels = {"app": "support-reply", "version": version}
        assert running.metric("llm_cost_dollars_total", **labels) > 0
        assert running.metric("llm_latency_seconds_bucket", le="5.0", **labels) > 200


def test_a_version_that_never_failed_has_no_error_series(start: Callable[..., Running]) -> None:
    running = start(weight=0, traffic=False)
    assert running.reply("company-01").status_code == 200
    text = requests.get(f"{running.url}/metrics", timeout=5).text
    assert 'llm_requests_total{app="support-reply",version="support-reply-v7"} 1.0' in text
    assert "llm_errors_total{" not in text


def test_a_broken_flag_is_an_error_and_not_a_version(start: Callable[..., Running]) -> None:
    running = start(weight=0, traffic=False)
    flag_sync.replace(running.flags, '{"flags": {}}')
    wait_until(
        lambda: running.reply("company-01").status_code == 503, timeout=10, otherwise=lambda: "it goes on answering"
    )
    assert "support-reply" in running.reply("company-01").json()["error"]


def test_a_request_without_a_company_is_refused(start: Callable[..., Running]) -> None:
    running = start(weight=0, traffic=False)
    assert requests.post(f"{running.url}/reply", json={}, timeout=5).status_code == 400
    assert running.tally().versions == {}
