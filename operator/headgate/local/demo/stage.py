"""Starts what the demo runs on: control plane, Prometheus, the operator, the service and its traffic."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from headgate.api import crds
from headgate.local import processes
from headgate.local.control_plane import ControlPlane
from headgate.local.processes import Process
from headgate.local.prometheus import PrometheusServer

OPERATOR_NAMESPACE = "headgate-system"
OPERATOR_ACCOUNT = "headgate"
OPERATOR_USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}"
"""What the audit log calls the operator."""

_SCRAPE_INTERVAL = "500ms"
# At 10 % a handful of companies must make the example's 50 samples within a step's few seconds.
_PER_COMPANY = 5.0
_LOOPBACK = "127.0.0.1"
_DEMO = "headgate.local.demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs, in a directory that is thrown away with it."""

    directory: Path
    ended_by: ExitStack
    """Ends everything that was started."""
    control_plane: ControlPlane
    prometheus: PrometheusServer
    operator_address: str
    service_address: str
    flags: Path
    """The file that the service reads its flags from."""
    running: list[Process] = field(default_factory=list)
    """What was started and should not end by itself."""

    @property
    def operator_url(self) -> str:
        """Where the operator tells its metrics."""
        return f"http://{self.operator_address}"

    @property
    def service_url(self) -> str:
        """Where the service answers."""
        return f"http://{self.service_address}"

    def start_operator(self) -> None:
        """Start `headgate run` as its ServiceAccount, which must exist; it is ready a little later."""
        configuration = self.directory / "headgate.yaml"
        configuration.write_text(yaml.safe_dump({"sources": [{"name": "default", "url": self.prometheus.url}]}))
        kubeconfig = self.control_plane.kubeconfig_for_service_account(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT)
        # The command as its script calls it, wherever that was installed.
        headgate = ("-c", "import sys; from headgate.cli.main import main; sys.exit(main())")
        options = ("--config", configuration, "--kubeconfig", kubeconfig, "--http", self.operator_address)
        self._start("operator", *headgate, "run", *options, grace=5.0)

    def start_service(self) -> None:
        """Start the service, whose flags must be there, and its traffic; both are ready a little later."""
        port = self.service_address.rpartition(":")[2]
        self._start("service", "-m", f"{_DEMO}.service", "--flags", self.flags, "--port", port, grace=2.0)
        traffic = ("--url", self.service_url, "--per-company", str(_PER_COMPANY))
        self._start("load", "-m", f"{_DEMO}.load", *traffic, grace=2.0)

    def _start(self, name: str, *arguments: str | Path, grace: float) -> None:
        # -P: the directory that the demo was called in must not lend it modules.
        command = [sys.executable, "-P", *arguments]
        process = processes.start(name, command, self.directory / "logs" / f"{name}.log")
        self.ended_by.callback(process.stop, grace)
        self.running.append(process)


def set_up(directory: Path, ended_by: ExitStack) -> Stage:
    """Start the control plane, with headgate's CRDs, and Prometheus.

    Raises:
        LocalError: one of them cannot be had or does not become ready.
    """
    # Without RBAC the operator needs no role; it still has a name of its own in the audit log.
    control_plane = ControlPlane(directory / "control-plane", rbac=False)
    ended_by.callback(control_plane.stop)
    control_plane.start()
    control_plane.api.install_crds(crds.documents())
    service = f"{_LOOPBACK}:{processes.free_port()}"
    prometheus = PrometheusServer(directory / "prometheus", {"service": [service]}, _SCRAPE_INTERVAL)
    ended_by.callback(prometheus.stop)
    prometheus.start()
    flags = directory / "mounted" / "flags.json"
    flags.parent.mkdir()
    operator = f"{_LOOPBACK}:{processes.free_port()}"
    started = [*control_plane.processes, *prometheus.processes]
    return Stage(directory, ended_by, control_plane, prometheus, operator, service, flags, started)
