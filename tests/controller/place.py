"""A namespace in memory in which several Rollouts of one name or of several have, had or want the same routers."""

import json
from collections.abc import Mapping
from typing import Any

from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, ROLLOUT, Kind
from headgate.cluster.snapshots import Snapshots
from headgate.controller.orphans import Orphans
from tests.controller import documents
from tests.controller.house import House
from tests.controller.models import MODEL, STEPS, Models

FLAG = {"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}}
OTHER_FLAG = {"flag": {"name": "another", "key": "companyId", "configMap": {"name": "flags"}}}
FLAG_ELSEWHERE = {"flag": {"name": "another", "key": "companyId", "configMap": {"name": "elsewhere"}}}
ROUTE = {"httpRoute": {"name": "web", "backends": ["blue", "green"]}}
FIELD = {"field": {"path": "spec.weight"}}
RANKER = {"apiVersion": MODEL.api_version, "kind": MODEL.kind, "name": "ranker"}
FIELD_OF_RANKER = {"field": {"path": "spec.weight", "target": RANKER}}
ELDEST, ELDER, YOUNGEST = (f"2026-11-21T{hour}:00:00Z" for hour in ("09", "10", "11"))


class Place:
    """A namespace with a flag, a route and two models, and Rollouts of several names in it."""

    def __init__(self) -> None:
        self._models = Models()
        self._models.serve_other()
        self._edits = 0
        backends = [{"name": name, "port": 80, "weight": weight} for name, weight in (("blue", 100), ("green", 0))]
        route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}}
        self.house.put(HTTP_ROUTE, {**route, "spec": {"rules": [{"backendRefs": backends}]}})

    @property
    def house(self) -> House:
        return self._models.house

    async def begin(self) -> "Place":
        await self.house.versions("v1", "v2", "v3")
        return self

    def apply(self, name: str, version: str, delivery: Mapping[str, object], created: str, **spec: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody applies a Rollout of a prompt."""
        self.apply_all(name, version, [delivery], created, **spec)

    def apply_all(
        self,
        name: str,
        version: str,
        deliveries: list[Mapping[str, object]],
        created: str,
        **spec: Any,  # noqa: ANN401 - JSON
    ) -> None:
        """The same, with several routers."""
        asked = documents.rollout(version, name=name, gates=[], steps=STEPS, delivery=deliveries, **spec)
        self.put(asked, created)

    def follow(self, name: str, model: str, created: str, **spec: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody applies a Rollout of a model, whose weight is in the model itself."""
        target = {"apiVersion": MODEL.api_version, "kind": MODEL.kind, "name": model, "fields": ["spec.model"]}
        whole = {"gates": [], "steps": STEPS, "delivery": [FIELD], **spec}
        asked = documents.rollout("v1", name=name, target=target, **whole)
        del asked["spec"]["prompt"]
        self.put(asked, created)

    def put(self, asked: dict[str, Any], created: str) -> None:
        """Somebody applies a Rollout that was made at that time, or its next generation."""
        self._edits += 1
        uid = f"{asked['metadata']['name']} of {created}"
        asked["metadata"].update(uid=uid, creationTimestamp=created, generation=self._edits)
        self.house.put(ROLLOUT, asked)

    def edit(self, model: str) -> None:
        self._models.edit(model=model)

    def ask(self, name: str, **asked: str) -> None:
        """What a person asks of headgate by an annotation."""
        self.house.annotate(name, **asked)

    def abort(self, name: str) -> None:
        self.ask(name, abort="1")

    async def delete(self, name: str) -> None:
        """Somebody deletes a Rollout, and the operator has a look."""
        self.house.delete(name)
        await self.looks(name)

    def restart(self) -> None:
        """Another operator goes on."""
        self._models.restart(MODEL)

    def is_deleted_unseen(self, kind: Kind, name: str, *, restart: bool = False) -> None:
        """Somebody deletes an object, and no watch tells of it; maybe since no operator runs."""
        del self.house.cluster.objects[kind, "ai", name]
        if restart:
            self.restart()

    async def looks(self, name: str = "reply", *seconds: float) -> None:
        """Looks so many seconds later each, and as often as there is something to do."""
        for each in seconds or (1,):
            await self.house.look(each, name)

    async def resync(self) -> None:
        """All is listed again, and what nobody answers for is put at stable."""
        house = self.house
        await Orphans(house.store, house.cluster, house.speaking, Snapshots(house.cluster)).put_at_stable()

    def status(self, name: str = "reply") -> dict[str, Any]:
        found: dict[str, Any] = self.house.cluster.at(ROLLOUT, name)["status"]
        return found

    def condition(self, kind: str, name: str = "reply") -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.status(name)["conditions"] if each["type"] == kind)
        return found

    def flags(self, config_map: str = "flags") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.house.cluster.at(CONFIG_MAP, config_map)["data"]["flags.json"])["flags"]
        return found

    def flag(self, name: str = "reply", config_map: str = "flags") -> int:
        """The candidate's share of a flag."""
        weight: int = self.flags(config_map)[name]["metadata"]["headgate.dev/weight"]
        return weight

    def route(self) -> dict[str, int]:
        """The share of each backend."""
        rules = self.house.cluster.at(HTTP_ROUTE, "web")["spec"]["rules"]
        return {backend["name"]: backend["weight"] for backend in rules[0]["backendRefs"]}

    def model(self, name: str = "ranker") -> dict[str, Any]:
        found: dict[str, Any] = self.house.cluster.at(MODEL, name)["spec"]
        return found
