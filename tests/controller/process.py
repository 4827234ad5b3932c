"""The operator as a process of its own, so that it can be killed like one."""

import json
import signal
import subprocess
import sys
from pathlib import Path

_PROGRAM = "from headgate.cli.main import main; main()"


class OperatorProcess:
    """`headgate run` against the control plane; started at once, and again after a kill."""

    def __init__(self, directory: Path, kubeconfig: Path, prometheus_url: str, **configured: object) -> None:
        sources = [{"name": "default", "url": prometheus_url, "timeout": "2s"}]
        self._config = directory / "config.yaml"
        self._config.write_text(json.dumps({"sources": sources, **configured}))
        self._kubeconfig = kubeconfig
        self.log = directory / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", _PROGRAM, "run", "--config", str(self._config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*command, "--kubeconfig", str(self._kubeconfig)], stderr=log, stdout=log)

    def kill(self) -> None:
        """As the kernel does it: no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As Kubernetes does it; the exit status."""
        return self._end(signal.SIGTERM)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        status = self._process.wait(timeout=15)
        self._process = None
        return status
