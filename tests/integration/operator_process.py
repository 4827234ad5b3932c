"""`headgate run` as a process of its own, that can be killed like one. Knows nothing of what it decides."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import requests
from prometheus_client.parser import text_string_to_metric_families

import headgate.local
from headgate.local import loopback, processes
from tests.integration.cluster import Document
from tests.integration.waiting import eventually

# Ends the operator together with the tests, however these end.
_ATTACH = Path(headgate.local.__file__).with_name("attach.py")
_HEADGATE = Path(sys.executable).with_name("headgate")
_DISCOVERY = "kopf._core.reactor.observation"


class Started(Protocol):
    """A process, as subprocess has it."""

    def poll(self) -> int | None: ...

    def send_signal(self, sig: int, /) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


def launch(arguments: list[str], log: Path) -> Started:
    """`headgate` with those arguments in an interpreter of its own."""
    command = [sys.executable, "-I", "-S", str(_ATTACH), str(os.getpid()), str(_HEADGATE), *arguments]
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)


class OperatorProcess:
    """The operator against one API server; it can be started again after each end."""

    def __init__(
        self,
        directory: Path,
        kubeconfig: Path,
        sources: list[Document],
        namespace: str | None,
        *,
        launch: Callable[[list[str], Path], Started] = launch,
        **configuration: object,
    ) -> None:
        """``configuration`` is the rest of what is configured beside the sources."""
        self.tolerates: tuple[str, ...] = ()
        """Loggers whose errors belong to the fault that a test makes."""
        self.may_be_refused = False
        """Whether that fault may make the API server refuse what the operator has a right to."""
        self._http = ""
        self.log = directory / "operator.log"
        self.log.touch()
        config = directory / "config.yaml"
        config.write_text(json.dumps({"sources": sources, **configuration}))
        arguments = ["run", "--config", str(config), "--kubeconfig", str(kubeconfig)]
        self._arguments = [*arguments, *(["--namespace", namespace] if namespace else [])]
        self._launch = launch
        self._process: Started | None = None

    def begin(self) -> None:
        """Starts it, and does not wait."""
        # Another port each time: while it is down, others may have taken the one that it had.
        self._http = f"127.0.0.1:{processes.free_port()}"
        self._process = self._launch([*self._arguments, "--http", self._http], self.log)

    def start(self) -> None:
        """Starts it, and returns when it is ready to decide."""
        self.begin()
        eventually(self.is_ready)

    def is_ready(self) -> bool:
        assert self.is_running, f"the operator ended while starting: {self.log.read_text()[-2000:]}"
        return loopback.answers(f"http://{self._http}/readyz")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a node that loses power: no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As Kubernetes asks for it; the exit status."""
        return self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It stands still in the midst of whatever it does, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the operator's own series of that name with those labels."""
        with requests.Session() as session:
            session.trust_env = False
            page = session.get(f"http://{self._http}/metrics", timeout=10).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def looks_again(self, kind: str, times: int = 2) -> None:
        """Returns when so many more answers of sources have turned out as that kind."""
        before = self.metric("headgate_questions_total", kind=kind)
        eventually(lambda: self.metric("headgate_questions_total", kind=kind), lambda now: now >= before + times)

    def lines(self) -> Iterator[Document]:
        """What it logged; a line that is no JSON object fails the test that asks."""
        for line in self.log.read_text().splitlines():
            entry = json.loads(line)
            assert isinstance(entry, dict), line
            yield entry

    def troubles(self) -> list[str]:
        """Errors that it logged: there are none unless something is broken in headgate itself."""
        return [
            json.dumps(line)
            for line in self.lines()
            if (line["level"] in ("error", "critical") or "error" in line)
            and not line["logger"].startswith(self.tolerates)
            # kopf says so when it is asked to end while it still finds out which kinds are served, and on its next try.
            and "Connector is closed" not in line["message"]
            and not (line["logger"] == _DISCOVERY and "TCP closed" in line["message"])
            # The API server says so of a CRD that was installed a moment ago, and kopf asks again.
            and not (line["logger"].startswith("kopf.") and "storage is (re)initializing" in line["message"])
        ]

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the operator was not started"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._signal(signal.SIGCONT)
        self._signal(number)
        status = self._process.wait(timeout=20)
        self._process = None
        return status
