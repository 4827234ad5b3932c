"""Brings every cell of the matrix to its state, all at once, says the commands, and lets the faults end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from typer.testing import CliRunner, Result

from headgate.cli.main import app
from headgate.local.prometheus import PrometheusServer
from tests.commands.states import PAUSING_GATE, STATES, Scene, State
from tests.commands.subjects import GOOD, Ranker, Subject, ranker_crd
from tests.commands.table import CELLS, VERBS
from tests.integration import resources, service_account
from tests.integration.cluster import Document, Namespace, Refused, Server
from tests.integration.fault_proxy import Asked, Fate, FaultProxy
from tests.integration.metrics import Application, is_true
from tests.integration.operator_process import OperatorProcess
from tests.integration.waiting import eventually
from tests.targets import inference_service

ALLOWED: list[Document] = [
    *inference_service.ALLOWED,
    {"apiVersion": Ranker.api_version, "kind": Ranker.kind, "fields": ["spec.predictor"]},
]
_AWAY = [{"name": "default", "url": "http://127.0.0.1:9", "timeout": "1s"}]


@dataclass(frozen=True)
class Actor:
    """One cell: a Rollout of its own in the state, of which one command is asked."""

    state: State
    namespace: Namespace
    subject: Subject
    app: str

    def seen(self) -> Document:
        """What a user sees of it."""
        raw = self.namespace.get("Rollout", self.subject.name)
        spec, status = raw["spec"], raw.get("status", {})
        attempt = status.get("attempt", {})
        return {
            "weights": self.subject.weights(self.namespace),
            "legacy": self.subject.is_legacy(self.namespace),
            "released": self.subject.released(self.namespace),
            "phase": status.get("phase"),
            "paused": spec.get("paused", False),
            "killSwitch": spec.get("killSwitch", "Off"),
            "rejected": len(status.get("rejected", [])),
            "attempt": attempt.get("number", 0),
            "outcome": attempt.get("outcome"),
            "approvals": [each["step"] for each in attempt.get("approvals", [])],
        }

    def wait(self, wanted: Callable[[Document], bool]) -> Document:
        return self.namespace.wait(self.subject.name, wanted)


@dataclass(frozen=True)
class Said:
    """A command that was said, and what was to be seen before a fault was over."""

    result: Result
    meanwhile: Document
    actor: Actor


@dataclass(frozen=True)
class Cluster:
    """The real parts that all scenes share."""

    server: Server
    kubeconfig: Path
    prometheus: PrometheusServer
    application: Application

    def headgate(self, *arguments: str) -> Result:
        environment = {"KUBECONFIG": str(self.server.plane.kubeconfig)}
        return CliRunner().invoke(app, arguments, env=environment)


@contextmanager
def play(cluster: Cluster, directory: Path) -> Iterator[Mapping[tuple[str, str], Said]]:
    """Every command that was said in every state, by the names of both."""
    cluster.server.plane.api.install_crds([inference_service.crd(), ranker_crd(strict=False)])
    with ExitStack() as stack:
        scenes = [stack.enter_context(_SCENES[scene](cluster, directory / scene.name.lower())) for scene in Scene]
        for scene in scenes:
            scene.begin()
        for scene in scenes:
            scene.expose()
        for scene in scenes:
            scene.go_on()
        said = {name: each for scene in scenes for name, each in scene.say().items()}
        for scene in scenes:
            scene.mend()
        yield said


class Surroundings:
    """One scene: a namespace and an operator, and all the states that are met there."""

    scene = Scene.WELL

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self.cluster = cluster
        directory.mkdir()
        self.directory = directory
        self.namespace = Namespace.made(cluster.server, f"said-{self.scene.name.lower()}")
        service_account.allow_in(self.namespace)
        _allow_targets(self.namespace)
        self.actors = {
            (name, verb): Actor(state, self.namespace, state.subject(f"{name}-{verb}"), f"{self.namespace.name}-{name}")
            for name, state in STATES.items()
            if state.scene is self.scene
            for verb in CELLS[name]
        }
        self.operator = OperatorProcess(
            directory, self.kubeconfig(), self.sources(), self.namespace.name, targets=ALLOWED
        )

    def kubeconfig(self) -> Path:
        return self.cluster.kubeconfig

    def sources(self) -> list[Document]:
        return [{"name": "default", "url": self.cluster.prometheus.url, "timeout": "2s"}]

    def __enter__(self) -> Self:
        self.operator.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.operator.stop()

    def begin(self) -> None:
        """The good version is stable everywhere."""
        self.namespace.apply(resources.version("v1"), resources.version("v2"), resources.gate(), PAUSING_GATE)
        for app_name, state in {actor.app: actor.state for actor in self.actors.values()}.items():
            self._answers(app_name, bad=state.is_bad)
        for actor in self.actors.values():
            self.namespace.apply(*actor.subject.surroundings(), manager="platform")
            actor.subject.begin(self.namespace, actor.app, **_spec(actor))
        for actor in self.actors.values():
            actor.wait(lambda status: status["phase"] == "Idle" and bool(status["stable"]))

    def expose(self) -> None:
        """Where something is tried, it is asked for; all routers show it."""
        tried = [actor for actor in self.actors.values() if actor.state.exposed is not None]
        for actor in tried:
            actor.subject.release(self.namespace, actor.app, **_spec(actor))
        for actor in tried:
            eventually(
                lambda actor=actor: actor.subject.weights(self.namespace),  # type: ignore[misc]
                lambda seen, actor=actor: seen == [actor.state.exposed],  # type: ignore[misc]
            )

    def go_on(self) -> None:
        """What happens then; every cell is in its state."""
        for actor in self.actors.values():
            actor.state.then(self.namespace, actor.subject)
        for actor in self.actors.values():
            actor.wait(actor.state.reached)
        for app_name in {actor.app for actor in self.actors.values() if actor.state.is_bad}:
            self._answers(app_name, bad=False)

    def say(self) -> dict[tuple[str, str], Said]:
        """Every command, each to a Rollout of its own."""
        said = {}
        for (name, verb), actor in self.actors.items():
            words = VERBS[verb]
            result = self.cluster.headgate(*words, actor.subject.name, "-n", self.namespace.name)
            said[name, verb] = Said(result, self.meanwhile(verb, actor), actor)
        return said

    def meanwhile(self, verb: str, actor: Actor) -> Document:
        """What is seen before a fault is over."""
        return {}

    def mend(self) -> None:
        """The fault is over."""

    def _answers(self, app_name: str, *, bad: bool) -> None:
        application = self.cluster.application
        application.answers(app_name, f"v{GOOD}", requests=1000, errors=1)
        application.answers(app_name, "v2", requests=1000, errors=200 if bad else 1)
        query = f'llm_errors_total{{app="{app_name}",version="v2"}} == {200 if bad else 1}'
        eventually(lambda: is_true(self.cluster.prometheus, query))


class Well(Surroundings):
    """Everything runs; but the backends of some routes have no endpoints, and a schema turns stricter."""

    def begin(self) -> None:
        for backend in ("crashing-blue", "crashing-green"):
            self.namespace.create(_service(backend))
            self.namespace.create(_no_endpoints(backend))
        super().begin()

    def go_on(self) -> None:
        self.cluster.server.plane.api.install_crds([ranker_crd(strict=True)])
        eventually(self._is_strict)
        super().go_on()

    def mend(self) -> None:
        self.cluster.server.plane.api.install_crds([ranker_crd(strict=False)])

    def meanwhile(self, verb: str, actor: Actor) -> Document:
        if not isinstance(actor.subject, Ranker):
            return {}
        conditions = self.namespace.status(actor.subject.name)["conditions"]
        stalled = next(each for each in conditions if each["type"] == "Stalled")
        return {**actor.seen(), "stalled": stalled["message"]}

    def _is_strict(self) -> bool:
        [probe] = Ranker("probe").surroundings()
        try:
            self.namespace.apply(probe)
        except Refused:
            return True
        return False


class Outage(Surroundings):
    """Prometheus is really stopped before anything is tried, and stays so."""

    scene = Scene.OUTAGE

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        answering = {"application": [cluster.application.address]}
        self._prometheus = PrometheusServer(directory / "prometheus", answering, scrape_interval="250ms")
        super().__init__(cluster, directory)

    def sources(self) -> list[Document]:
        self._prometheus.start()
        return [{"name": "default", "url": self._prometheus.url, "timeout": "1s"}]

    def expose(self) -> None:
        self._prometheus.stop()
        super().expose()
        self.operator.looks_again("Error")

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._prometheus.stop()


class Writeless(Surroundings):
    """HTTPRoutes cannot be written from when everybody is exposed until after the commands."""

    scene = Scene.REFUSED

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self._directory = directory
        super().__init__(cluster, directory)

    def kubeconfig(self) -> Path:
        self._proxy = FaultProxy(self.cluster.server.plane, self._directory, self.cluster.kubeconfig)
        return self._proxy.kubeconfig

    def go_on(self) -> None:
        self._proxy.strike(_refuses_routes)
        super().go_on()
        for actor in self.actors.values():
            eventually(lambda actor=actor: actor.subject.weights(self.namespace), lambda seen: seen == [0, 10])  # type: ignore[misc]

    def meanwhile(self, verb: str, actor: Actor) -> Document:
        if verb == "kill-legacy":
            return eventually(actor.seen, lambda seen: bool(seen["legacy"]))
        return actor.seen()

    def mend(self) -> None:
        self._proxy.strike(lambda _asked: Fate.PASS)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._proxy.close()


class Down(Surroundings):
    """The operator is killed in mid-step, and comes back when everything was said."""

    scene = Scene.DOWN

    def go_on(self) -> None:
        super().go_on()
        self.operator.kill()

    def mend(self) -> None:
        self.operator.begin()


_SCENES: Mapping[Scene, Callable[[Cluster, Path], Surroundings]] = {
    Scene.WELL: Well,
    Scene.OUTAGE: Outage,
    Scene.REFUSED: Writeless,
    Scene.DOWN: Down,
}


def _refuses_routes(asked: Asked) -> Fate:
    return Fate.REFUSE if asked.is_("PATCH", "/httproutes/[^/]+") else Fate.PASS


def _spec(actor: Actor) -> Document:
    gates = [{"name": PAUSING_GATE["metadata"]["name"], "args": {"app": actor.app}}]
    return {"gates": gates, **actor.state.spec} if actor.state.is_bad else actor.state.spec


def _allow_targets(namespace: Namespace) -> None:
    """As the chart's value `targets` does."""
    groups = [each["apiVersion"].partition("/")[0] for each in ALLOWED]
    rules = [
        {"apiGroups": groups, "resources": ["*"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "create", "delete"]},
    ]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "targets"}}
    namespace.create({**role, "kind": "Role", "rules": rules})
    subject = {"kind": "ServiceAccount", "name": service_account.NAME, "namespace": service_account.HOME}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "targets"}
    namespace.create({**role, "kind": "RoleBinding", "roleRef": ref, "subjects": [subject]})


def _service(name: str) -> Document:
    spec = {"selector": {"app": name}, "ports": [{"port": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _no_endpoints(name: str) -> Document:
    """As the endpoint controller has it while every pod behind a Service crashes."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": False, "serving": False}}],
        "ports": [{"port": 8080}],
    }
