"""A team's ranker: example 02 with durations that a test can wait for, and what its owner sees of it."""

import copy
from pathlib import Path
from typing import Any

import yaml

from headgate.engine.content import content_of, version_name
from headgate.local.waiting import wait_until
from tests.controller import documents
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.waiting import wait_for
from tests.targets.inference_service import service

EXAMPLE = Path(__file__).parents[2] / "examples" / "02-target-revert.yaml"
STORAGE = "spec.predictor.model.storageUri"
STEPS = [{"weight": 10, "holdFor": "1s"}, {"weight": 50, "holdFor": "1s"}, {"weight": 100}]
HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


def example() -> dict[str, Any]:
    """The contract's own document."""
    found: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    return found


def rollout(**spec: object) -> dict[str, Any]:
    """Example 02 in the namespace of the test, in short steps."""
    document = copy.deepcopy(example())
    del document["metadata"]["namespace"]
    document["spec"] |= {"steps": STEPS, "gates": [{"name": "quality"}], **spec}
    return document


def version_of(obj: dict[str, Any], *fields: str) -> str:
    """What headgate calls what an object holds."""
    return version_name("ranker", content_of(obj, fields or (STORAGE,)).digest)


def model(number: int) -> str:
    return f"s3://models/ranker/{number}"


class Ranking:
    """The ranker in one namespace."""

    def __init__(self, kube: Kube, quality: Quality) -> None:
        self.kube = kube
        self._quality = quality

    def begin(self, applied: dict[str, Any] | None = None, **spec: object) -> None:
        """Model 1 is stable, nobody else is exposed, and headgate has its hands off."""
        for number in (1, 2, 3):
            self.is_good(service(model(number)))
        self.kube.apply(applied or service(), manager="git")
        self.kube.apply(documents.gate(app=self.kube.namespace))
        self.kube.apply(rollout(**spec))
        self.wait_for(lambda found: found["phase"] == "Idle" and found["stable"])
        self.wait_for_weight(0)

    def is_good(self, target: dict[str, Any], *fields: str) -> None:
        self._quality.set(self.kube.namespace, version_of(target, *fields), 1)

    def is_bad(self, target: dict[str, Any], *fields: str) -> None:
        self._quality.set(self.kube.namespace, version_of(target, *fields), 9)

    def edit(self, **predictor: object) -> None:
        """Somebody edits the ranker with kubectl."""
        self.kube.patch("InferenceService", "ranker", {"spec": {"predictor": predictor}})

    def release(self, number: int) -> None:
        self.edit(model={"storageUri": model(number)})

    @property
    def predictor(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kube.get("InferenceService", "ranker")["spec"]["predictor"]
        return found

    @property
    def weight(self) -> object:
        return self.predictor.get("canaryTrafficPercent")

    @property
    def storage(self) -> object:
        return self.predictor["model"].get("storageUri")

    def wait_for(self, wanted: Any, *, timeout: float = 30.0) -> dict[str, Any]:  # noqa: ANN401 - a predicate of JSON
        return wait_for(self.kube, wanted, name="ranker", timeout=timeout)

    def wait_for_end_of(self, version: str) -> None:
        """Until the attempt of that version is over."""
        self.wait_for(
            lambda found: (found["attempt"]["candidate"]["version"], found["attempt"]["state"]) == (version, "Ended")
        )

    def wait_for_weight(self, weight: int) -> None:
        wait_until(lambda: self.weight == weight, timeout=15, otherwise=lambda: f"the weight stays {self.weight}")

    def condition(self, kind: str) -> dict[str, Any]:
        """The condition of that type."""
        conditions = self.kube.get("Rollout", "ranker")["status"]["conditions"]
        return next(each for each in conditions if each["type"] == kind)

    def stalled(self, reason: str) -> str:
        """The message, once it is stalled for that reason."""
        self.wait_for(lambda found: any(_is(each, "Stalled", "True", reason) for each in found["conditions"]))
        return str(self.condition("Stalled")["message"])

    def owned_by_headgate(self) -> list[dict[str, Any]]:
        """What headgate owns of the ranker."""
        entries = self.kube.get("InferenceService", "ranker")["metadata"]["managedFields"]
        return [entry for entry in entries if entry["manager"] == "headgate"]


def _is(condition: dict[str, Any], *wanted: str) -> bool:
    return (condition["type"], condition["status"], condition["reason"]) == wanted
