"""A team's ranker in memory: a target under KServe's rules, with the whole operator beside it, and time at will."""

import math
from typing import Any

from headgate.api.target_kind import TargetKind
from headgate.cluster.objects import ROLLOUT
from tests.controller import documents
from tests.controller.house import House
from tests.delivery.kserve_controller import KServe, report
from tests.delivery.memory_cluster import Document
from tests.delivery.test_field import SERVICE

API = "serving.kserve.io/v1beta1"
MODEL = "spec.predictor.model"
ALLOWED = [MODEL, "spec.predictor.minReplicas", "spec.predictor.canaryTrafficPercent"]
STEPS = [{"weight": 10, "holdFor": "10s"}, {"weight": 50, "holdFor": "10s"}, {"weight": 100}]
IN_FIELD = [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}]


def target(*fields: str, **more: object) -> dict[str, object]:
    """The subject of a Rollout."""
    return {"apiVersion": API, "kind": "InferenceService", "name": "ranker", "fields": list(fields or (MODEL,)), **more}


class Ranker:
    """Model m1 has everybody, and is what the Rollout knows as stable."""

    def __init__(self, **spec: object) -> None:
        self.house, self.kserve = _house(), KServe()
        self._spec: dict[str, Any] = {
            "gates": [],
            "steps": STEPS,
            "bakeFor": "10m",
            "delivery": IN_FIELD,
            "target": target(),
            **spec,
        }
        service = {
            "apiVersion": API,
            "kind": "InferenceService",
            "metadata": {"name": "ranker", "uid": "object-1"},
            "spec": {"predictor": {"minReplicas": 1, "model": {"storageUri": "m1"}}},
        }
        self.house.put(SERVICE, service)

    async def begin(self) -> None:
        """Until all is at rest."""
        self.reconcile()
        self.apply()
        await self.goes_on(1, times=2)
        assert (self.served, self.status["phase"]) == ({"m1": 100}, "Idle")

    def restart(self) -> None:
        """Another operator goes on."""
        before, self.house = self.house, _house()
        self.house.time = before.time
        self.house.take_over(before)

    def apply(self, **spec: object) -> None:
        """Somebody applies the Rollout, with these changes from now on."""
        self._spec |= spec
        document = documents.rollout("m1", **self._spec)
        del document["spec"]["prompt"]
        document["spec"] = {name: value for name, value in document["spec"].items() if value is not None}
        self.house.put(ROLLOUT, document)

    def edit(self, model: str | None = None, **predictor: object) -> None:
        """Somebody edits the InferenceService."""
        service = self.service
        if model is not None:
            service["spec"]["predictor"]["model"] = {"storageUri": model}
        service["spec"]["predictor"].update(predictor)
        self.house.tell(SERVICE, self.house.cluster.put(SERVICE, service))

    def reconcile(self, *, reports: bool = True) -> None:
        """KServe looks until nothing changes any more, and says so where it ``reports``."""
        self.kserve.reconcile(self.service)
        if reports:
            self.house.tell(SERVICE, self.house.cluster.put(SERVICE, report(self.service, self.kserve)))

    async def goes_on(self, seconds: float, times: int = 1) -> list[dict[str, int]]:
        """Headgate and KServe take turns; who was served what each time."""
        served = []
        for _ in range(times):
            await self.house.look(seconds)
            self.reconcile()
            await self.house.look()
            self.reconcile()
            served.append(self.served)
        return served

    async def reaches_the_bake(self, model: str) -> None:
        """A release that has everybody by now and is still judged."""
        self.edit(model)
        await self.goes_on(11, times=8)
        assert (self.served, self.status["phase"]) == ({model: 100}, "Baking")

    async def is_taken_back(self, attempt: int = 1) -> None:
        """Somebody aborts, and headgate does what it can."""
        self.house.annotate(abort=str(attempt))
        await self.house.look(1)
        await self.house.look(1)

    @property
    def service(self) -> Document:
        found: Document = self.house.cluster.at(SERVICE, "ranker")
        return found

    @property
    def served(self) -> dict[str, int]:
        return self.kserve.served()

    @property
    def model(self) -> str:
        found: str = self.service["spec"]["predictor"]["model"]["storageUri"]
        return found

    @property
    def weight(self) -> float:
        found: float = self.service["spec"]["predictor"].get("canaryTrafficPercent", math.nan)
        return found

    @property
    def status(self) -> dict[str, Any]:
        return self.house.status

    def condition(self, kind: str) -> dict[str, Any]:
        """The Rollout's condition of that type."""
        found: dict[str, Any] = next(each for each in self.status["conditions"] if each["type"] == kind)
        return found


def _house() -> House:
    house = House()
    kind = TargetKind.model_validate({"apiVersion": API, "kind": "InferenceService", "fields": ALLOWED})
    targets = house.store.targets
    targets.allowed[API, "InferenceService"] = kind
    targets.listed(targets.serves(kind, SERVICE.plural))
    return house
