"""`headgate run` as a process of its own, and what it costs: CPU, memory and its own metrics."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from headgate.local import loopback, processes
from headgate.local.processes import Process
from headgate.local.waiting import wait_until_serving

_PROGRAM = Path(sys.executable).with_name("headgate")


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram of the operator's: how many observations in all, their sum, and how many up to each bound."""

    count: float
    total: float
    up_to: Mapping[float, float]

    def since(self, before: "Buckets") -> "Buckets":
        """What was added after `before`."""
        added = {bound: count - before.up_to.get(bound, 0.0) for bound, count in self.up_to.items()}
        return Buckets(self.count - before.count, self.total - before.total, added)

    def percentile(self, percent: float) -> float:
        """The upper bound of the bucket in which it lies: never less than the true one."""
        wanted = self.count * percent / 100
        return min((bound for bound, count in self.up_to.items() if count >= wanted), default=float("inf"))


class OperatorProcess:
    """The operator against one API server and one Prometheus."""

    def __init__(
        self,
        directory: Path,
        kubeconfig: Path,
        prometheus_url: str,
        profile: Path | None = None,
        configured: Mapping[str, object] | None = None,
        *,
        lease_in: str | None = None,
    ) -> None:
        """With ``profile`` it runs under Python's profiler, slower, and writes there what took its time.

        ``configured`` are further keys of its configuration. With ``lease_in`` it is one of several, and decides only
        while it holds the Lease in that namespace.
        """
        self._directory = directory
        self._kubeconfig = kubeconfig
        self._source = prometheus_url
        self._profile = profile
        self._configured = configured or {}
        self._lease_in = lease_in
        self._http = f"127.0.0.1:{processes.free_port()}"
        self._process: Process | None = None

    def begin(self) -> None:
        """Start it, and do not wait."""
        config = self._directory / "operator.json"
        source = {"name": "default", "url": self._source, "timeout": "5s"}
        config.write_text(json.dumps({"sources": [source], **self._configured}))
        profiled = [sys.executable, "-m", "bench.profiled", str(self._profile)]
        command: list[str | Path] = [
            *(profiled if self._profile is not None else [_PROGRAM]),
            *("run", "--config", config, "--kubeconfig", self._kubeconfig, "--http", self._http),
            *(["--lease-namespace", self._lease_in] if self._lease_in is not None else []),
        ]
        # No cluster's environment names another kubeconfig or proxy than these.
        self._process = processes.start("headgate", command, self._directory / "operator.log")

    def start(self) -> None:
        """Start it, and return when it is ready to decide."""
        self.begin()
        wait_until_serving(self._running(), lambda: loopback.answers(f"http://{self._http}/readyz"), timeout=120)

    def stop(self) -> None:
        """End it; nothing happens when it has ended."""
        if self._process is not None:
            self._process.stop(15.0)

    def ask_to_end(self) -> None:
        """As Kubernetes does, and do not wait."""
        os.kill(self._running().pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it as a node that loses power."""
        self._running().kill()

    @property
    def role(self) -> str:
        """What it says of itself: leader or standby; empty while it is not ready."""
        try:
            answer = loopback.request("GET", f"http://{self._http}/readyz")
        except requests.RequestException:
            return ""
        return answer.text.strip() if answer.ok else ""

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._running().is_running()

    def cpu_seconds(self) -> float:
        """User and system time since it started."""
        fields = Path(f"/proc/{self._running().pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Resident now."""
        return self._memory("VmRSS")

    def most_memory_mib(self) -> float:
        """The most that was ever resident."""
        return self._memory("VmHWM")

    def histogram(self, name: str) -> Buckets:
        """One of its histograms without labels."""
        with requests.Session() as session:
            session.trust_env = False
            text = session.get(f"http://{self._http}/metrics", timeout=30).text
        up_to: dict[float, float] = {}
        count = total = 0.0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == f"{name}_bucket":
                    up_to[float(sample.labels["le"])] = sample.value
                elif sample.name == f"{name}_count":
                    count = sample.value
                elif sample.name == f"{name}_sum":
                    total = sample.value
        return Buckets(count, total, up_to)

    def _memory(self, key: str) -> float:
        lines = Path(f"/proc/{self._running().pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024

    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the operator was not started")
        return self._process
