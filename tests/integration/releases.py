"""The releases that tests make of one application: its versions, its gate, its Rollout, and what it is seen to do."""

from functools import partial

from headgate.local.prometheus import PrometheusServer
from tests.integration import resources
from tests.integration.cluster import Document, Namespace
from tests.integration.metrics import Application, is_true
from tests.integration.routers import FlagInConfigMap, Router, Shares
from tests.integration.waiting import eventually

VERSIONS = ("v1", "v2", "v3")


class Release:
    """One Rollout named `reply` in a namespace, as its team handles it."""

    def __init__(self, namespace: Namespace, application: Application, prometheus: PrometheusServer) -> None:
        self.namespace = namespace
        self.application = application
        self.app = namespace.name
        self._prometheus = prometheus
        self.router: Router = FlagInConfigMap()
        for version in VERSIONS:
            self.answers(version, requests=1000, errors=1)
        namespace.apply(*(resources.version(version) for version in VERSIONS), resources.gate())

    def is_good(self, version: str) -> None:
        """It answers as it should."""
        self.answers(version, requests=1000, errors=1)

    def is_bad(self, version: str) -> None:
        """It fails in every fifth request."""
        self.answers(version, requests=1000, errors=200)

    def answers(self, version: str, *, requests: int, errors: int) -> None:
        """It has answered so many requests so far; returns when Prometheus knows."""
        self.application.answers(self.app, version, requests=requests, errors=errors)
        for metric, count in (("llm_requests_total", requests), ("llm_errors_total", errors)):
            query = f'{metric}{{app="{self.app}",version="{version}"}} == {count}'
            eventually(partial(is_true, self._prometheus, query))

    def document(self, version: str, **spec: object) -> Document:
        """The Rollout as the team writes it."""
        return resources.rollout(version, app=self.app, name="reply", **{"delivery": [self.router.delivery()], **spec})

    def of(self, version: str, **spec: object) -> None:
        """Applies the Rollout without force."""
        self.namespace.apply(self.document(version, **spec))

    def begins(self, router: Router | None = None, **spec: object) -> None:
        """v1 is stable, and everybody gets it."""
        self.router = router or self.router
        self.router.prepare(self.namespace)
        self.of("v1", **spec)
        self.ends_stable("v1")

    def wait(self, **wanted: object) -> Document:
        """The status once these fields of it are as wanted."""
        return self.namespace.wait("reply", lambda status: wanted.items() <= status.items())

    def is_shown(self, **shares: int) -> None:
        """Returns when customers or requests get exactly these shares, by version."""
        eventually(self.shares, lambda seen: seen == shares)

    def shares(self) -> Shares:
        return self.router.shares(self.namespace)

    def is_at(self, version: str, weight: int) -> None:
        """Returns when the routers show a candidate at that weight."""
        eventually(self.shares, lambda seen: seen.get(version) == weight)

    def ends_stable(self, version: str) -> Document:
        """The status once that version is stable, nothing is in flight and everybody gets it."""
        status = self.namespace.wait("reply", lambda seen: _is_idle(seen) and seen["stable"]["version"] == version)
        self.is_shown(**{version: 100})
        return status

    def ends_rolled_back(self, version: str, *, stable: str = "v1") -> Document:
        """The status once that version was taken back, the spec with it, and everybody gets the stable one."""
        status = self.namespace.wait("reply", lambda seen: seen["phase"] == "RolledBack")
        self.is_shown(**{stable: 100})
        assert status["rejected"][0]["version"] == version
        assert self.spec_version() == stable
        return status

    def spec_version(self) -> str:
        return str(self.namespace.get("Rollout", "reply")["spec"]["prompt"]["version"])


def _is_idle(status: Document) -> bool:
    return bool(status["phase"] == "Idle" and status["weight"] == 0)
