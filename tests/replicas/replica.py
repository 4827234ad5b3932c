"""One replica of the operator as a process of its own, that can be killed, stopped and woken. Knows no decision."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import requests

from headgate.local import processes
from headgate.local.waiting import wait_until
from tests.replicas.installation import HOME, user

_PROGRAM = "from headgate.cli.main import main; main()"


class ReplicaProcess:
    """`headgate run` with the Lease in the operator's namespace."""

    def __init__(
        self, directory: Path, name: str, kubeconfig: Path, prometheus_url: str, **configuration: object
    ) -> None:
        """``configuration`` is the rest of what is configured beside the source."""
        self.user = user(name)
        self._http = f"127.0.0.1:{processes.free_port()}"
        config = directory / "config.yaml"
        source = {"name": "default", "url": prometheus_url, "timeout": "2s"}
        config.write_text(json.dumps({"sources": [source], **configuration}))
        self._command = [sys.executable, "-c", _PROGRAM, "run", f"--config={config}", f"--kubeconfig={kubeconfig}"]
        self._command += [f"--http={self._http}", f"--lease-namespace={HOME}"]
        self.log = directory / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, role: str) -> None:
        """Starts it, and returns when it is ready in that role."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log, stdout=log)
        self.becomes(role)

    def becomes(self, role: str, *, within: float = 30.0) -> None:
        wait_until(lambda: self.ready() == (200, role), timeout=within, otherwise=self._said)

    def ready(self) -> tuple[int, str]:
        """What /readyz answers."""
        return self._get("/readyz")

    def healthy(self) -> tuple[int, str]:
        return self._get("/healthz")

    def metric(self, name: str) -> float:
        _, page = self._get("/metrics")
        [value] = [line.split()[-1] for line in page.splitlines() if line.split()[0] == name]
        return float(value)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self.ends()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Asks it to end, and does not wait."""
        self._signal(signal.SIGTERM)

    def ends(self) -> int:
        """Its exit status, once it has ended."""
        assert self._process is not None
        status = self._process.wait(timeout=20)
        self._process = None
        return status

    def clear_away(self) -> None:
        """Ends it, whatever a test has left of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _get(self, path: str) -> tuple[int, str]:
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.get(f"http://{self._http}{path}", timeout=2)
            except requests.RequestException:
                return 0, ""
        return answer.status_code, answer.text.strip()

    def _said(self) -> str:
        return f"/readyz answers {self.ready()}; {self.log.read_text()[-2000:]}"
