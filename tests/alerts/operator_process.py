"""`headgate run` that also listens for alerts, as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

import headgate.local
from headgate.local import loopback, processes
from headgate.local.waiting import wait_until

# Ends the operator together with the tests, however these end.
_ATTACH = Path(headgate.local.__file__).with_name("attach.py")
_PROGRAM = "from headgate.cli.main import main; main()"


class AlertedOperator:
    """The operator against one API server; it can be started again after each end."""

    def __init__(self, directory: Path, kubeconfig: Path, tokens: Mapping[Path, Iterable[str]]) -> None:
        self._http = f"127.0.0.1:{processes.free_port()}"
        self.listen = f"127.0.0.1:{processes.free_port()}"
        self.log = directory / "operator.log"
        self.log.touch()
        config = directory / "config.yaml"
        bound = [{"file": str(file), "namespaces": list(namespaces)} for file, namespaces in tokens.items()]
        config.write_text(json.dumps({"alerts": {"listen": self.listen, "tokens": bound}}))
        self._arguments = ["run", "--config", str(config), "--kubeconfig", str(kubeconfig), "--http", self._http]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where alerts are posted to."""
        return f"http://{self.listen}/alerts"

    def start(self) -> None:
        """Starts it, and returns when it is ready to decide."""
        command = [sys.executable, str(_ATTACH), str(os.getpid()), sys.executable, "-c", _PROGRAM, *self._arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: loopback.answers(f"http://{self._http}/readyz"), timeout=30, otherwise=self.log.read_text)

    def stop(self) -> None:
        """As Kubernetes asks for it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=15)
            self._process = None

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

    def troubles(self) -> list[str]:
        """Errors that it logged: there are none unless something is broken in headgate itself."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        wrong = [line for line in lines if line["level"] in ("error", "critical") or "error" in line]
        # kopf calls it an error when the API server goes away, which one of these tests makes it do.
        return [json.dumps(line) for line in wrong if not line["logger"].startswith("kopf.")]
