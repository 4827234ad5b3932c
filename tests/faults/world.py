"""One run: a namespace of its own, an operator in it behind the proxy, and people who release there. Judges nothing."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from headgate.local import processes
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.alerts.posts import Sender
from tests.faults.chronicle import Chronicle
from tests.faults.conductor import Conductor, Interchange
from tests.faults.nursery import Nursery
from tests.integration import resources, service_account
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.fault_proxy import Asked, FaultProxy
from tests.integration.metrics import Application, is_true
from tests.integration.operator_process import OperatorProcess
from tests.integration.waiting import eventually
from tests.targets.inference_service import ALLOWED, crd

_numbers = itertools.count(1)
PATIENCE = 90.0
"""Seconds for what people wait for: longer than one object may be out of reach."""
FOREIGN = "somebody.example/note"
"""The annotation of somebody who writes what headgate writes."""
_TOKEN = "a-token-that-nobody-guesses"
_TARGET_RIGHTS = [
    {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "create", "delete"]},
    {
        "apiGroups": ["serving.kserve.io"],
        "resources": ["inferenceservices"],
        "verbs": ["get", "list", "watch", "patch"],
    },
]
"""What the chart adds for those who release InferenceServices."""


@dataclass(frozen=True, slots=True)
class Place:
    """What all runs share: real servers, the proxy before one of them, and what prepares and watches."""

    plane: ControlPlane
    prometheus: PrometheusServer
    application: Application
    chronicle: Chronicle
    nursery: Nursery
    interchange: Interchange
    proxy: FaultProxy
    directory: Path


@contextmanager
def place(
    plane: ControlPlane, prometheus: PrometheusServer, application: Application, kubeconfig: Path, directory: Path
) -> Iterator[Place]:
    """The place, on a control plane where the operator's ServiceAccount of that kubeconfig has its rights."""
    plane.api.install_crds([crd()])
    interchange = Interchange()
    proxy = FaultProxy(plane, directory, kubeconfig)
    proxy.strike(interchange.fate)
    try:
        with ExitStack() as stack:
            chronicle, nursery = stack.enter_context(Chronicle(plane)), stack.enter_context(Nursery())
            yield Place(plane, prometheus, application, chronicle, nursery, interchange, proxy, directory)
    finally:
        proxy.close()


class World:
    """A context manager: while it is open the operator runs, and is started again when a fault has killed it."""

    def __init__(self, here: Place, watches: Document | None = None) -> None:
        """``watches`` is how the operator is configured to see that one tells nothing any more."""
        self.here = here
        self._watches = watches or {}
        self.name = f"run-{next(_numbers)}"
        self.conductor = Conductor(self)
        self.overtaken: list[str] = []
        """The paths of what somebody else wrote."""
        self._starting: list[threading.Thread] = []
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        here = self.here
        self.server = Server(here.plane)
        self.namespace = Namespace.made(self.server, self.name)
        service_account.allow_in(self.namespace, also=_TARGET_RIGHTS)
        directory = here.directory / self.name
        directory.mkdir()
        token = directory / "alert-token"
        token.write_text(_TOKEN)
        listen = f"127.0.0.1:{processes.free_port()}"
        self.alerts = Sender(f"http://{listen}/alerts", _TOKEN)
        self.operator = OperatorProcess(
            directory,
            here.proxy.kubeconfig,
            [{"name": "default", "url": here.prometheus.url, "timeout": "5s"}],
            self.name,
            launch=here.nursery.launch,
            targets=ALLOWED,
            watches=self._watches,
            alerts={"listen": listen, "tokens": [{"file": str(token), "namespaces": [self.name]}]},
        )
        here.interchange.add(self.name, self.conductor)
        self.operator.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._has_started()
        self.operator.kill()
        self.here.interchange.remove(self.name)
        self.here.application.silence(self.name)
        self.here.chronicle.forget(self.name)
        self.server.close()

    def restart(self) -> None:
        """A crash that is no fault of the run, but a part of what is played."""
        self._has_started()
        self.kill()
        self._has_started()

    def answers(self, version: str, *, errors: int) -> None:
        """That version fails so often in a thousand requests."""
        self.here.application.answers(self.name, version, requests=1000, errors=errors)

    def is_measured(self, version: str) -> None:
        """Returns when Prometheus knows how that version answers."""
        query = f'llm_requests_total{{app="{self.name}",version="{version}"}} > 0'
        eventually(lambda: is_true(self.here.prometheus, query))

    def rollout(self, version: str, spec: Document) -> Document:
        """A Rollout of a prompt named reply."""
        return resources.rollout(version, app=self.name, **spec)

    def apply(self, *documents: Document, manager: str = "kubectl") -> None:
        self.namespace.apply(*documents, manager=manager)

    def newest(self, kind: str, name: str) -> Document:
        return self.here.chronicle.newest(self.name, kind, name)

    def states(self, kind: str, name: str) -> list[Document]:
        return self.here.chronicle.states(self.name, kind, name)

    def wait(self, kind: str, name: str, wanted: Callable[[Document], object]) -> None:
        """Returns when the newest state of an object is as wanted."""
        self.here.chronicle.wait(self.name, kind, name, lambda state: bool(wanted(state)), within=PATIENCE)

    def wait_for_status(self, wanted: Callable[[Document], object], name: str = "reply") -> None:
        """Returns when the Rollout's status is as wanted."""
        self.wait("Rollout", name, lambda state: wanted(state["status"]))

    def overtake(self, asked: Asked) -> None:
        """Somebody annotates the very object that the operator is about to write."""
        path = asked.path.removesuffix("/status")
        body = {"metadata": {"annotations": {FOREIGN: "by a person"}}}
        server = Server(self.here.plane)
        server.send("PATCH", f"{path}?fieldManager=a-person", body, "application/merge-patch+json")
        server.close()
        self.overtaken.append(path)

    def kill(self) -> None:
        """The operator ends at once; another one is started beside."""
        with self._one_at_a_time:
            if any(thread.is_alive() for thread in self._starting):
                return  # Two requests of one operator were struck: it is dead already, and its successor not born yet.
            self.operator.kill()
            # Its start waits for another process, which the proxy's thread must not do.
            self._starting.append(threading.Thread(target=self.operator.begin))
            self._starting[-1].start()

    def _has_started(self) -> None:
        """Returns when no operator is being started."""
        for thread in list(self._starting):
            thread.join()
