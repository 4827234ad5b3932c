"""Where benchmarks get their evidence from: the stand-in that times, or a real Prometheus with an exporter."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests
from pydantic import BaseModel, Field

from bench.exporter import Exporter
from bench.stand_in import EVERYBODY
from headgate.local import loopback, processes
from headgate.local.prometheus import PrometheusServer
from headgate.local.waiting import wait_until_serving


class Memory(BaseModel):
    """What the stand-in remembers; times in seconds since the epoch."""

    first_bad: dict[str, float] = Field(alias="firstBad")
    gaps: list[float]
    first_question: float | None = Field(alias="firstQuestion")
    requests: int
    queries: int


class Evidence(Protocol):
    """A Prometheus whose answers can be turned bad."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...

    def turn_bad(self, apps: Sequence[str]) -> None:
        """From now on these apps' candidates fail in most requests."""
        ...


@dataclass(frozen=True, slots=True)
class StandIn:
    """The stand-in, from outside."""

    url: str

    def turn_bad(self, apps: Sequence[str] = (EVERYBODY,)) -> None:
        """From now on these apps' candidates are answered for as bad; with no apps named, everybody's."""
        self._session("POST", "/bench/bad", list(apps))

    def forget(self) -> None:
        """All are good again, and nothing has been asked."""
        self._session("POST", "/bench/forget")

    def recall(self) -> Memory:
        """What was asked and answered since it last forgot."""
        return Memory.model_validate_json(self._session("GET", "/bench/memory"))

    def _session(self, method: str, path: str, body: object = None) -> bytes:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.url}{path}", json=body, timeout=30)
            answer.raise_for_status()
            return answer.content


@dataclass(frozen=True, slots=True)
class Real:
    """A real Prometheus and what it scrapes."""

    url: str
    exporter: Exporter

    def turn_bad(self, apps: Sequence[str] = (EVERYBODY,)) -> None:
        """From their next requests on; Prometheus sees it at its next scrape."""
        self.exporter.turn_bad(apps)


@contextmanager
def stand_in(directory: Path) -> Iterator[StandIn]:
    """Runs the stand-in."""
    url = f"http://127.0.0.1:{(port := processes.free_port())}"
    command = [sys.executable, "-m", "bench.stand_in", str(port)]
    process = processes.start("stand-in", command, directory / "stand-in.log")
    try:
        wait_until_serving(process, lambda: loopback.answers(f"{url}/-/ready"), timeout=30)
        yield StandIn(url)
    finally:
        process.stop()


@contextmanager
def real(directory: Path, apps: Sequence[str], versions: Sequence[str]) -> Iterator[Real]:
    """Runs Prometheus, and an exporter with metrics for each of the apps in each of the versions."""
    with (
        Exporter(apps, versions) as exporter,
        PrometheusServer(directory / "prometheus", {"bench": [exporter.address]}, scrape_interval="1s") as server,
    ):
        yield Real(server.url, exporter)
