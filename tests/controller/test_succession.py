"""Routers that outlive their Rollout: for another of its name that has other ones, or for another name."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    HTTP_ROUTE,
    ROLLOUT,
    ClusterError,
    Kind,
    Unavailable,
)
from headgate.cluster.snapshots import Snapshots
from headgate.controller.orphans import Orphans
from headgate.engine.observation import Key
from tests.controller import documents
from tests.controller.house import House
from tests.controller.models import MODEL, Models

STEPS = [{"weight": 10, "holdFor": "10s"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]
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
        self._put(asked, created)

    def follow(self, name: str, model: str, created: str, **spec: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody applies a Rollout of a model, whose weight is in the model itself."""
        target = {"apiVersion": MODEL.api_version, "kind": MODEL.kind, "name": model, "fields": ["spec.model"]}
        whole = {"gates": [], "steps": STEPS, "delivery": [FIELD], **spec}
        asked = documents.rollout("v1", name=name, target=target, **whole)
        del asked["spec"]["prompt"]
        self._put(asked, created)

    def _put(self, asked: dict[str, Any], created: str) -> None:
        self._edits += 1
        uid = f"{asked['metadata']['name']} of {created}"
        asked["metadata"].update(uid=uid, creationTimestamp=created, generation=self._edits)
        self.house.put(ROLLOUT, asked)

    def edit(self, model: str) -> None:
        self._models.edit(model=model)

    def ask(self, name: str, **asked: str) -> None:
        """What a person asks of headgate by an annotation."""
        raw = self.house.cluster.at(ROLLOUT, name)
        raw["metadata"]["annotations"] = {f"headgate.dev/{word}": text for word, text in asked.items()}
        self.house.tell(ROLLOUT, self.house.cluster.put(ROLLOUT, raw))

    def abort(self, name: str) -> None:
        self.ask(name, abort="1")

    async def delete(self, name: str) -> None:
        """Somebody deletes a Rollout, and the operator has a look."""
        self.delete_one(name)
        await self.looks(name)

    def delete_one(self, name: str) -> None:
        """Somebody deletes a Rollout, and the watch tells of it."""
        version = int(self.house.cluster.at(ROLLOUT, name)["metadata"]["resourceVersion"])
        view = self.house.store.lost_rollout(Key("ai", name), version)
        assert view is not None
        del self.house.cluster.objects[ROLLOUT, "ai", name]
        self.house.reconcile.depart(view)

    def restart(self) -> None:
        """Another operator goes on."""
        self._models.restart(MODEL)

    def is_deleted_unseen(self, kind: Kind, name: str) -> None:
        """Somebody deletes an object, and no watch tells of it."""
        del self.house.cluster.objects[kind, "ai", name]

    async def looks(self, name: str = "reply", *seconds: float) -> None:
        """Looks so many seconds later each, and as often as there is something to do."""
        for each in seconds or (1,):
            self.house.time += timedelta(seconds=each)
            for _ in range(3):
                await self.house.reconcile.look(Key("ai", name))
                tasks = asyncio.all_tasks()
                await asyncio.gather(*(task for task in tasks if task.get_name().startswith("measure")))

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


@pytest.mark.parametrize("restart", [True, False], ids=["no operator ran", "a watch told nothing"])
async def test_one_made_again_for_another_router_leaves_nobody_on_the_old_one(restart: bool) -> None:
    place = await Place().begin()
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks()
    place.apply("reply", "v2", FLAG, ELDER)
    await place.looks("reply", 1, 11)
    assert place.flag() == 50
    place.is_deleted_unseen(ROLLOUT, "reply")
    if restart:
        place.restart()
    place.apply("reply", "v1", OTHER_FLAG, YOUNGEST)
    await place.looks("reply", 1, 30)
    await place.resync()
    assert (place.flag("reply"), place.flag("another")) == (0, 0)


@pytest.mark.parametrize("restart", [True, False], ids=["no operator ran", "a watch told nothing"])
async def test_one_made_again_for_another_target_leaves_nobody_on_the_old_one(restart: bool) -> None:
    place = await Place().begin()
    place.follow("reply", "ranker", ELDER)
    await place.looks()
    place.edit("m2")
    await place.looks("reply", 1, 11)
    assert place.model()["weight"] == 50
    place.is_deleted_unseen(ROLLOUT, "reply")
    if restart:
        place.restart()
    place.follow("reply", "other", YOUNGEST)
    await place.looks("reply", 1, 30)
    await place.resync()
    assert (place.model()["weight"], place.model("other")["weight"]) == (0, 0)


async def test_a_list_leaves_alone_what_a_release_under_a_new_name_has_made_of_a_route() -> None:
    place = await Place().begin()
    place.apply("old", "v1", ROUTE, ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.apply("reply", "v1", ROUTE, ELDER)
    await place.looks()
    place.apply("reply", "v2", ROUTE, ELDER)
    await place.looks()
    place.ask("reply", promote="1")
    await place.looks("reply", 1, 1)
    assert (place.route(), place.status()["stable"]["version"]) == ({"blue": 0, "green": 100}, "v2")
    place.apply("reply", "v3", ROUTE, ELDER)
    await place.looks()
    assert place.route() == {"blue": 10, "green": 90}
    await place.resync()
    assert place.route() == {"blue": 10, "green": 90}


async def test_what_the_old_name_left_blocks_no_way_back_when_that_name_is_used_again() -> None:
    place = await Place().begin()
    place.apply("old", "v1", ROUTE, ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.apply("reply", "v1", ROUTE, ELDER)
    await place.looks()
    place.apply("reply", "v2", ROUTE, ELDER)
    await place.looks("reply", 1, 11)
    assert place.route()["green"] == 50
    place.apply("old", "v3", OTHER_FLAG, YOUNGEST)
    await place.looks("old")
    place.abort("reply")
    await place.looks("reply", 1, 30, 30)
    assert (place.route(), place.status()["phase"]) == ({"blue": 100, "green": 0}, "RolledBack")


async def test_nor_in_a_field() -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.follow("reply", "ranker", ELDER)
    await place.looks()
    place.edit("m2")
    await place.looks("reply", 1, 11)
    assert place.model()["weight"] == 50
    place.follow("old", "other", YOUNGEST)
    await place.looks("old")
    place.abort("reply")
    await place.looks("reply", 1, 30, 30)
    assert (place.model(), place.status()["phase"]) == ({"model": "m1", "weight": 0}, "RolledBack")


@pytest.mark.parametrize("delivery", [FLAG, ROUTE], ids=["flag", "route"])
async def test_a_release_under_a_new_name_goes_on_from_what_its_routers_had_as_stable(
    delivery: Mapping[str, object],
) -> None:
    place = await Place().begin()
    never = {"revertSpec": "Never"}
    place.apply("old", "v1", delivery, ELDEST)
    await place.looks("old")
    place.apply("old", "v2", delivery, ELDEST, rollback=never)
    await place.looks("old")
    place.abort("old")
    await place.looks("old", 1, 1)
    await place.delete("old")
    place.apply("reply", "v2", delivery, ELDER)
    await place.looks()
    assert (place.status()["stable"]["version"], place.status()["attempt"]["candidate"]["version"]) == ("v1", "v2")


async def test_a_model_under_a_new_name_comes_back_to_what_the_old_name_had_as_stable() -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.edit("m2")
    place.follow("reply", "ranker", ELDER)
    await place.looks("reply", 1, 11)
    assert place.model() == {"model": "m2", "weight": 50}
    place.abort("reply")
    await place.looks("reply", 1, 11)
    assert place.model() == {"model": "m1", "weight": 0}


async def test_a_field_that_its_rollout_has_left_is_free_for_another() -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST)
    await place.looks("old")
    place.follow("old", "other", ELDEST)
    await place.looks("old", 1, 10)
    place.follow("reply", "ranker", ELDER)
    await place.looks("reply", 1, 10)
    place.edit("m2")
    await place.looks("reply", 1, 11)
    assert place.model()["weight"] == 50


async def test_a_prompt_goes_on_from_no_model() -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.apply("reply", "v1", FIELD_OF_RANKER, ELDER)
    await place.looks("reply", 1, 11)
    assert (place.status()["phase"], place.status()["stable"]["version"]) == ("Idle", "v1")
    assert place.model() == {"model": "m1", "weight": 0}


async def test_a_model_goes_on_from_no_prompt() -> None:
    place = await Place().begin()
    place.apply("old", "v1", FLAG, ELDEST)
    await place.looks("old")
    await place.delete("old")
    place.follow("reply", "ranker", ELDER, delivery=[FLAG, FIELD])
    await place.looks("reply", 1, 11)
    assert (place.status()["phase"], place.flag()) == ("Idle", 0)
    place.edit("m2")
    await place.looks("reply", 1, 11)
    assert (place.model()["weight"], place.flag()) == (50, 50)
    place.abort("reply")
    await place.looks("reply", 1, 11)
    assert (place.model(), place.flag()) == ({"model": "m1", "weight": 0}, 0)


async def test_nor_where_the_prompt_had_its_own_name() -> None:
    place = await Place().begin()
    place.apply("reply", "v1", FLAG, ELDEST)
    await place.looks()
    await place.delete("reply")
    place.follow("reply", "ranker", ELDER, delivery=[FLAG, FIELD])
    await place.looks("reply", 1, 11)
    assert (place.status()["phase"], place.flag()) == ("Idle", 0)


@pytest.mark.parametrize("shared", [FLAG, FIELD_OF_RANKER], ids=["flag", "field"])
async def test_a_model_goes_on_from_no_other_model(shared: Mapping[str, object]) -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST, delivery=[FLAG, FIELD])
    await place.looks("old", 1, 11)
    await place.delete("old")
    place.follow("reply", "other", ELDER, delivery=[shared, FIELD])
    await place.looks("reply", 1, 11)
    place.abort("reply")
    await place.looks("reply", 1, 11)
    assert place.status()["phase"] == "Idle"
    assert (place.model("other"), place.model()) == ({"model": "x1", "weight": 0}, {"model": "m1", "weight": 0})


async def test_a_model_under_a_new_name_says_that_what_it_would_come_back_to_is_not_kept() -> None:
    place = await Place().begin()
    place.follow("old", "ranker", ELDEST)
    await place.looks("old")
    await place.delete("old")
    kept = [name for kind, _, name in place.house.cluster.objects if kind == CONTROLLER_REVISION]
    for name in kept:
        place.is_deleted_unseen(CONTROLLER_REVISION, name)
    place.edit("m2")
    place.follow("reply", "ranker", ELDER)
    await place.looks("reply", 1, 11)
    assert (kept, place.condition("Stalled")["reason"], place.model()["weight"]) == ([ANY], "SnapshotGone", 0)


@pytest.mark.parametrize("delivery", [FLAG, ROUTE], ids=["flag", "route"])
async def test_an_older_one_that_comes_to_name_a_router_has_it_and_the_younger_one_says_so(
    delivery: Mapping[str, object],
) -> None:
    place = await Place().begin()
    place.apply("old", "v2", OTHER_FLAG, ELDEST)
    await place.looks("old")
    place.apply("reply", "v1", delivery, ELDER)
    await place.looks()
    place.apply("old", "v2", delivery, ELDEST)
    await place.looks("old", 1, 20)
    await place.looks("reply", 1, 20)
    assert (place.condition("Delivered", "old")["status"], place.condition("Stalled", "old")["status"]) == (
        "True",
        "False",
    )
    assert place.condition("Stalled")["reason"] == "Claimed"


async def test_what_a_younger_one_exposes_it_takes_back_before_the_older_one_has_the_router() -> None:
    place = await Place().begin()
    place.apply("old", "v3", OTHER_FLAG, ELDEST)
    await place.looks("old")
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks()
    place.apply("reply", "v2", FLAG, ELDER)
    await place.looks("reply", 1, 11)
    place.apply("old", "v3", FLAG, ELDEST)
    await place.looks("old", 1, 20)
    assert (place.flag(), place.condition("Stalled", "old")["reason"]) == (50, "RouterUnusable")
    place.abort("reply")
    await place.looks("reply", 1, 1)
    await place.looks("old", 20)
    assert (place.flag(), place.status()["attempt"]["outcome"]) == (0, "RolledBack")
    assert place.condition("Delivered", "old")["status"] == "True"


async def test_the_kill_switch_of_two_that_name_one_flag_is_delivered() -> None:
    place = await Place().begin()
    place.apply("old", "v1", OTHER_FLAG, ELDEST)
    await place.looks("old")
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks()
    for name, created in (("old", ELDEST), ("reply", ELDER)):
        place.apply(name, "v1", FLAG, created, killSwitch="Legacy")
    await place.looks("old", 1, 20)
    await place.looks("reply", 1, 20)
    assert place.flags()["reply"]["defaultVariant"] == "legacy"


async def test_without_its_manifest_an_attempt_comes_back_by_its_marks_and_raises_no_other_router() -> None:
    place = await Place().begin()
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks()
    place.apply("reply", "v2", FLAG, ELDER)
    await place.looks("reply", 1, 11)
    place.apply("reply", "v2", OTHER_FLAG, ELDER)
    place.is_deleted_unseen(CONFIG_MAP, place.status()["attempt"]["manifest"])
    place.restart()
    await place.looks("reply", 1, 30)
    assert (place.flag(), list(place.flags())) == (50, ["reply"])
    place.abort("reply")
    await place.looks("reply", 1, 1)
    assert (place.flag(), place.status()["phase"]) == (0, "RolledBack")
    assert place.flag("another") == 0


async def test_a_router_that_leaves_the_spec_in_the_bake_shows_what_was_promoted_also_after_a_crash() -> None:
    place = await Place().begin()
    place.apply("reply", "v1", FLAG_ELSEWHERE, ELDER, bakeFor="1h")
    await place.looks()
    place.apply("reply", "v2", FLAG_ELSEWHERE, ELDER, bakeFor="1h")
    await place.looks()
    place.ask("reply", promote="1")
    await place.looks("reply", 1, 1)
    assert place.flag("another", "elsewhere") == 100
    place.apply("reply", "v2", FLAG, ELDER, bakeFor="1h")
    committed = []

    def dies_after_the_promotion(kind: Kind, subresource: str) -> ClusterError | None:
        committed.extend([True] if (kind, subresource) == (ROLLOUT, "status") else [])
        return Unavailable("it is dead") if committed and kind == CONFIG_MAP else None

    place.house.cluster.fault = dies_after_the_promotion
    place.ask("reply", promote="1/bake")
    await place.looks()
    place.house.cluster.fault = lambda _kind, _subresource: None
    place.restart()
    assert (place.status()["stable"]["version"], place.flag("another", "elsewhere")) == ("v2", 100)
    await place.resync()
    shown = place.flags("elsewhere")["another"]
    assert (shown["metadata"]["headgate.dev/weight"], shown["variants"]["stable"]["version"]) == (0, "v2")
    assert shown["variants"]["stable"]["compiled"] == "v2-compiled"


async def test_a_router_that_left_the_spec_in_mid_attempt_is_free_once_the_attempt_has_ended() -> None:
    place = await Place().begin()
    place.apply("old", "v1", FLAG, ELDEST)
    await place.looks("old")
    place.apply("old", "v2", FLAG, ELDEST)
    await place.looks("old", 1, 11)
    place.apply("old", "v2", OTHER_FLAG, ELDEST)
    place.ask("old", abort="1")
    await place.looks("old", 1, 1)
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks("reply", 1, 20)
    assert (place.status()["phase"], place.condition("Stalled")["status"]) == ("Idle", "False")
    assert place.flags()["reply"]["metadata"]["headgate.dev/rollout"] == "reply"
