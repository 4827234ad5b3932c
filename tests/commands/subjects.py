"""What a cell of the matrix releases: a prompt behind two routers, or a custom resource with a weight in it."""

import copy
from typing import Any, Protocol

from tests.integration import resources
from tests.integration.cluster import Document, Namespace
from tests.integration.routers import FlagInConfigMap, Route
from tests.targets import inference_service

GOOD, BAD = 1, 2
"""The numbers of what is stable and of what is tried."""


class Subject(Protocol):
    """One Rollout, and the things that it moves."""

    name: str

    def surroundings(self) -> list[Document]:
        """What must be there before."""
        ...

    def begin(self, namespace: Namespace, app: str, **spec: object) -> None:
        """The Rollout, at what is to become stable."""
        ...

    def release(self, namespace: Namespace, app: str, **spec: object) -> None:
        """Asks for what is tried."""
        ...

    def weights(self, namespace: Namespace) -> list[int]:
        """The different shares that its routers give to what is tried."""
        ...

    def is_legacy(self, namespace: Namespace) -> bool:
        """Whether everybody gets the legacy path, where there is one."""
        ...

    def released(self, namespace: Namespace) -> int:
        """Which of the two the spec asks for."""
        ...


class Prompt:
    """A flag of its own and an HTTPRoute of its own."""

    def __init__(self, name: str, backends: tuple[str, str] = ("blue", "green")) -> None:
        self.name = name
        self._flag, self._route = FlagInConfigMap(name), Route(name)
        self._flag.config_map = f"{name}-flags"
        self._route.backends = backends

    def surroundings(self) -> list[Document]:
        return [resources.route(self.name, self._route.backends)]

    def begin(self, namespace: Namespace, app: str, **spec: object) -> None:
        namespace.apply(self._document(f"v{GOOD}", app, spec))

    def release(self, namespace: Namespace, app: str, **spec: object) -> None:
        namespace.apply(self._document(f"v{BAD}", app, spec))

    def weights(self, namespace: Namespace) -> list[int]:
        routers = (self._flag, self._route)
        return sorted({router.shares(namespace).get(f"v{BAD}", 0) for router in routers})

    def is_legacy(self, namespace: Namespace) -> bool:
        return self._flag.shares(namespace) == {"legacy": 100}

    def released(self, namespace: Namespace) -> int:
        return int(namespace.get("Rollout", self.name)["spec"]["prompt"]["version"].removeprefix("v"))

    def _document(self, version: str, app: str, spec: Document) -> Document:
        delivery = [self._flag.delivery(), self._route.delivery()]
        return resources.rollout(version, app=app, name=self.name, delivery=delivery, **spec)


class Target:
    """A custom resource whose weight stands in a field of it."""

    kind, api_version = "InferenceService", inference_service.API_VERSION

    def __init__(self, name: str) -> None:
        self.name = name

    def model(self, number: int) -> str:
        return f"s3://models/{self.name}/{number}"

    def surroundings(self) -> list[Document]:
        made = inference_service.service(self.model(GOOD), self.name)
        return [{**made, "apiVersion": self.api_version, "kind": self.kind}]

    def begin(self, namespace: Namespace, app: str, **spec: object) -> None:
        target = {"apiVersion": self.api_version, "kind": self.kind, "name": self.name}
        document = resources.rollout("", app=app, name=self.name, **spec)
        del document["spec"]["prompt"]
        document["spec"] |= {
            "target": {**target, "fields": ["spec.predictor.model.storageUri"]},
            "delivery": [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}],
        }
        namespace.apply(document)

    def release(self, namespace: Namespace, app: str, **spec: object) -> None:
        self._edit(namespace, {"model": {"storageUri": self.model(BAD)}})

    def weights(self, namespace: Namespace) -> list[int]:
        return [int(self._predictor(namespace).get("canaryTrafficPercent", -1))]

    def is_legacy(self, namespace: Namespace) -> bool:
        return False

    def released(self, namespace: Namespace) -> int:
        return GOOD if self._predictor(namespace)["model"]["storageUri"] == self.model(GOOD) else BAD

    def _predictor(self, namespace: Namespace) -> Document:
        found: Document = namespace.get(self.kind, self.name)["spec"]["predictor"]
        return found

    def _edit(self, namespace: Namespace, predictor: Document) -> None:
        namespace.patch(self.kind, self.name, {"spec": {"predictor": predictor}})


class Ranker(Target):
    """The same of a kind of the tests' own, whose schema turns stricter meanwhile: it refuses the good content then."""

    kind, api_version = "Ranker", "strict.example.io/v1"

    def model(self, number: int) -> str:
        return f"s3://legacy/{number}" if number == GOOD else super().model(number)


def ranker_crd(*, strict: bool) -> Document:
    """The CRD of that kind."""
    crd: Any = copy.deepcopy(inference_service.crd())
    group, _, version = Ranker.api_version.partition("/")
    crd["metadata"]["name"] = f"rankers.{group}"
    names = {"kind": "Ranker", "listKind": "RankerList", "plural": "rankers", "singular": "ranker"}
    crd["spec"] |= {"group": group, "names": names}
    [served] = crd["spec"]["versions"]
    served["name"] = version
    if strict:
        predictor = served["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["predictor"]
        predictor["properties"]["model"]["properties"]["storageUri"]["pattern"] = "^s3://models/"
    found: Document = crd
    return found
