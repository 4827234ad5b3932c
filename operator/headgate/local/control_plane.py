"""A Kubernetes control plane on 127.0.0.1: etcd and kube-apiserver, and nothing else.

There are no controllers. So nothing is collected as garbage (owner references delete nothing), a deleted namespace
stays in Terminating, Deployments and Jobs make no Pods, and namespaces get no `default` ServiceAccount.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from headgate.local import kubeconfig, loopback, processes
from headgate.local.binaries import binary
from headgate.local.certificates import Certificates, create
from headgate.local.commands import ApiServerCommand, EtcdCommand
from headgate.local.errors import LocalError
from headgate.local.kube_api import KubeApi
from headgate.local.processes import Process
from headgate.local.waiting import wait_until_serving

_PORT_TAKEN = "address already in use"
_TRIES = 3


class ControlPlane:
    """An API server with its etcd, in a directory of its own; also a context manager that starts and stops it.

    Its data, certificates and audit log stay in the directory, and a later start there goes on with them. Without
    `rbac` every authenticated client may do everything. Both end with this process, unless a `pid_directory`
    detaches them.
    """

    def __init__(self, directory: Path, *, rbac: bool = True, pid_directory: Path | None = None) -> None:
        self.directory = directory.absolute()
        self.kubeconfig = self.directory / "kubeconfig"
        """The administrator's."""
        self.audit_log = self.directory / "audit.log"
        """One JSON object a line, for each request that was answered."""
        self._rbac = rbac
        self._pid_directory = pid_directory
        self._etcd: Process | None = None
        self._api_server: Process | None = None
        self._port = 0
        self._etcd_port = 0
        self._programs: dict[str, Path] = {}

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def api(self) -> KubeApi:
        """The API server, asked as its administrator."""
        return KubeApi(self.url, self._certificates)

    @property
    def processes(self) -> tuple[Process, ...]:
        """What was started and not stopped, in the order in which to stop it."""
        return tuple(each for each in (self._api_server, self._etcd) if each is not None)

    def start(self, *, timeout: float = 120.0) -> Self:
        """Start both, and return when the API server is ready; the kubeconfig is written then.

        Raises:
            LocalError: a program cannot be had, ends, or is not ready within `timeout` seconds.
        """
        self._programs = {name: binary(name) for name in ("etcd", "kube-apiserver")}
        self.directory.mkdir(parents=True, exist_ok=True)
        create(self._certificates.directory)
        try:
            self._start_with_free_ports(timeout)
        except BaseException:
            self.stop()
            raise
        kubeconfig.by_certificate(
            self.kubeconfig,
            server=self.url,
            authority=self._certificates.authority,
            certificate=self._certificates.certificate("admin"),
            key=self._certificates.key("admin"),
        )
        return self

    def stop(self) -> None:
        """End both; nothing happens when they have ended."""
        # An API server that is asked to end waits for its watches; nobody here needs that courtesy for long.
        for process, grace in ((self._api_server, 2.0), (self._etcd, 5.0)):
            if process is not None:
                process.stop(grace)
        self._api_server = self._etcd = None

    def kubeconfig_for_service_account(self, namespace: str, name: str, *, lifetime: float = 3600.0) -> Path:
        """A kubeconfig file with a token of an existing ServiceAccount, good for `lifetime` seconds (at least 600).

        Raises:
            LocalError: the ServiceAccount does not exist.
        """
        file = self.directory / f"kubeconfig-{namespace}-{name}"
        token = self.api.issue_token(namespace, name, lifetime=lifetime)
        kubeconfig.by_token(
            file, server=self.url, authority=self._certificates.authority, token=token, namespace=namespace
        )
        return file

    def kill_api_server(self) -> None:
        """End the API server at once, as an outage; `restart_api_server` brings it back at the same address."""
        if self._api_server is not None:
            self._api_server.kill()
            self._api_server = None

    def restart_api_server(self, *, timeout: float = 120.0) -> None:
        """Start the API server again after `kill_api_server`, and return when it is ready.

        Raises:
            LocalError: as for `start`.
        """
        self._start_api_server(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def _certificates(self) -> Certificates:
        return Certificates(self.directory / "certificates")

    def _start_with_free_ports(self, timeout: float) -> None:
        for tries_left in reversed(range(_TRIES)):
            self._port, self._etcd_port = processes.free_port(), processes.free_port()
            try:
                self._start_etcd(timeout)
                self._start_api_server(timeout)
            except LocalError as error:
                self.stop()
                # Another process was quicker to take one of the ports.
                if _PORT_TAKEN not in str(error) or not tries_left:
                    raise
            else:
                return

    def _start_etcd(self, timeout: float) -> None:
        command = EtcdCommand(
            self._programs["etcd"],
            data=self.directory / "etcd",
            certificates=self._certificates,
            port=self._etcd_port,
            peer_port=processes.free_port(),
        )
        log = self.directory / "logs" / "etcd.log"
        etcd = processes.start("etcd", command.arguments(), log, pid_directory=self._pid_directory)
        self._etcd = etcd
        url = f"https://127.0.0.1:{self._etcd_port}/health"
        wait_until_serving(
            etcd,
            lambda: loopback.answers(url, certificates=self._certificates, client="etcd-client"),
            timeout=timeout,
        )

    def _start_api_server(self, timeout: float) -> None:
        command = ApiServerCommand(
            self._programs["kube-apiserver"],
            directory=self.directory,
            certificates=self._certificates,
            port=self._port,
            etcd_port=self._etcd_port,
            audit_log=self.audit_log,
            rbac=self._rbac,
        )
        log = self.directory / "logs" / "kube-apiserver.log"
        api_server = processes.start("kube-apiserver", command.arguments(), log, pid_directory=self._pid_directory)
        self._api_server = api_server
        # The namespace is made a moment after the server calls itself ready.
        ready = ("/readyz", "/api/v1/namespaces/default")
        wait_until_serving(api_server, lambda: all(self.api.answers(path) for path in ready), timeout=timeout)
