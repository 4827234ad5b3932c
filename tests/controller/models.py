"""A team's model in memory: a target of a kind of their own, with the whole operator beside it, and time at will."""

from copy import deepcopy
from typing import Any

from headgate.api.target_kind import TargetKind
from headgate.cluster.objects import ROLLOUT, ClusterError, Json, Kind, Refused
from tests.controller import documents
from tests.controller.house import House

MODEL = Kind("models.example.com", "v1beta1", "models", "Model")
MODEL_V1 = Kind("models.example.com", "v1", "models", "Model")
STEPS = [{"weight": 10, "holdFor": "10s"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]


class Models:
    """Model m1 has everybody, and is what the Rollout knows as stable once it was looked at."""

    def __init__(self, *, account_required: bool = False, **spec: object) -> None:
        """``spec``: what else stands in the model besides its name and its weight."""
        self._account_required = account_required
        self.house = House(account_required=account_required)
        self.allow(MODEL, "spec")
        document = {"apiVersion": MODEL.api_version, "kind": "Model", "metadata": {"name": "ranker", "uid": "object-1"}}
        self.house.put(MODEL, {**document, "spec": {"model": "m1", "weight": 0, **spec}})

    def allow(self, kind: Kind, *fields: str) -> None:
        """The configuration allows the kind with those fields, and it is served."""
        allowed = TargetKind.model_validate(
            {"apiVersion": kind.api_version, "kind": kind.kind, "fields": list(fields or ("spec",))}
        )
        targets = self.house.store.targets
        targets.allowed[kind.api_version, kind.kind] = allowed
        targets.listed(targets.serves(allowed, kind.plural))
        for (known, _, _), raw in list(self.house.cluster.objects.items()):
            if known == kind:
                self.house.tell(kind, raw)

    def restart(self, *allowed: Kind, fields: tuple[str, ...] = ()) -> None:
        """Another operator goes on, whose configuration allows those kinds and fields."""
        before, self.house = self.house, House(account_required=self._account_required)
        self.house.time = before.time
        self.house.cluster.forbidden, self.house.cluster.fault = before.cluster.forbidden, before.cluster.fault
        for kind in allowed:
            self.allow(kind, *fields)
        self.house.take_over(before)

    def apply(self, kind: Kind = MODEL, fields: tuple[str, ...] = ("spec.model",), **spec: object) -> None:
        """Somebody applies the Rollout."""
        target: dict[str, object] = {"apiVersion": kind.api_version, "kind": "Model", "name": "ranker"}
        exposure = spec.pop("exposure", None)
        if exposure is not None:
            target["exposure"] = exposure
        whole: dict[str, Any] = {
            "steps": STEPS,
            "bakeFor": "10m",
            "delivery": [{"field": {"path": "spec.weight"}}],
            **spec,
        }
        document = documents.rollout("m1", target={**target, "fields": list(fields)}, **whole)
        del document["spec"]["prompt"], document["spec"]["gates"]
        self.house.put(ROLLOUT, document)

    def edit(self, kind: Kind = MODEL, **fields: object) -> None:
        """Somebody edits the model."""
        raw = self.house.cluster.at(kind, "ranker")
        raw["spec"].update(fields)
        self.house.tell(kind, self.house.cluster.put(kind, raw))

    def serve_too(self, kind: Kind) -> None:
        """The API server has the model under another version of its group too."""
        raw: Json = deepcopy(self.house.cluster.at(MODEL, "ranker"))
        self.house.cluster.objects[kind, "ai", "ranker"] = raw | {"apiVersion": kind.api_version}
        self.allow(kind)

    def serve_other(self) -> None:
        """There is another model beside it."""
        document = {"apiVersion": MODEL.api_version, "kind": "Model", "metadata": {"name": "other", "uid": "object-2"}}
        self.house.put(MODEL, {**document, "spec": {"model": "x1", "weight": 0}})

    def refuse(self, *kinds: Kind) -> None:
        """The API server takes no write of those kinds from now on."""

        def refuses(kind: Kind, _subresource: str) -> ClusterError | None:
            return Refused("exceeded quota") if kind in kinds else None

        self.house.cluster.fault = refuses

    async def begin(self, fields: tuple[str, ...] = ("spec.model",), **spec: object) -> None:
        """Until all is at rest."""
        self.apply(MODEL, fields, **spec)
        await self.house.look(1)
        assert self.status["phase"] == "Idle"

    async def reaches_50(self, kind: Kind = MODEL) -> None:
        """Half of everybody has model m2."""
        self.edit(kind, model="m2")
        await self.house.look(1)
        await self.house.look(11)
        assert self.status["weight"] == 50

    async def goes_on(self, seconds: float, times: int) -> None:
        """Looks that often, with so much time in between."""
        for _ in range(times):
            await self.house.look(seconds)

    def spec(self, kind: Kind = MODEL) -> dict[str, Any]:
        """What stands in the model."""
        found: dict[str, Any] = self.house.cluster.at(kind, "ranker")["spec"]
        return found

    @property
    def status(self) -> dict[str, Any]:
        return self.house.status

    @property
    def stalled(self) -> dict[str, Any]:
        """The condition Stalled."""
        found: dict[str, Any] = next(each for each in self.status["conditions"] if each["type"] == "Stalled")
        return found
