"""What the conditions say after a revert, of who has what, and what settles it."""

import json
from typing import Any

import pytest

from headgate.cluster.objects import CONFIG_MAP, ROLLOUT, Refused
from tests.controller import documents
from tests.controller.house import House
from tests.controller.models import MODEL, Models
from tests.controller.ranker import API, Ranker
from tests.delivery.kserve_controller import KServe
from tests.delivery.test_field import SERVICE

FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps"}
NEVER: dict[str, Any] = {"rollback": {"revertSpec": "Never"}}
ON_STABLE = "everybody stays on stable"


def condition(house: House, kind: str = "Stalled") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in house.status["conditions"] if each["type"] == kind)
    return found


async def prompt_at_10(**spec: Any) -> House:  # noqa: ANN401 - JSON
    house = House()
    await house.versions("v1", "v2", "v3")
    for version in ("v1", "v2"):
        house.put(ROLLOUT, documents.rollout(version, gates=[], **spec))
        await house.look(1)
    return house


async def looks(house: House, *seconds: float) -> None:
    for each in seconds:
        await house.look(each)


async def rejected_model(labels: dict[str, str] | None = None) -> Models:
    """Model m2 was at 50 %, and somebody aborted."""
    models = Models()
    raw = models.house.cluster.at(MODEL, "ranker")
    raw["metadata"]["labels"] = labels or {}
    models.house.tell(MODEL, models.house.cluster.put(MODEL, raw))
    await models.begin()
    await models.reaches_50()
    models.house.annotate(abort="1")
    await models.goes_on(1, 4)
    return models


def make_again(models: Models, model: str) -> None:
    """Somebody deletes the model and creates it with that content."""
    del models.house.cluster.objects[MODEL, "ai", "ranker"]
    metadata = {"name": "ranker", "uid": "object-9"}
    spec = {"model": model}
    models.house.put(MODEL, {"apiVersion": MODEL.api_version, "kind": "Model", "metadata": metadata, "spec": spec})


@pytest.mark.parametrize(
    ("labels", "way_out"),
    [
        ({}, "Put spec.predictor.model back as in "),
        (FLUX, "Flux keeps InferenceService ranker: put spec.predictor.model back in Git as in "),
    ],
)
async def test_an_object_that_is_made_again_with_what_was_rejected_is_said_to_serve_it(
    labels: dict[str, str], way_out: str
) -> None:
    ranker = Ranker()
    await ranker.begin()
    ranker.edit("m2")
    await ranker.goes_on(1, times=3)
    await ranker.is_taken_back()
    await ranker.goes_on(1, times=3)
    del ranker.house.cluster.objects[SERVICE, "ai", "ranker"]
    ranker.kserve = KServe()
    metadata = {"name": "ranker", "uid": "object-2", "labels": labels}
    spec = {"predictor": {"minReplicas": 1, "model": {"storageUri": "m2"}}}
    ranker.house.put(SERVICE, {"apiVersion": API, "kind": "InferenceService", "metadata": metadata, "spec": spec})
    ranker.reconcile()
    await ranker.goes_on(10, times=8)
    stalled = ranker.condition("Stalled")
    assert (ranker.served, stalled["reason"]) == ({"m2": 100}, "Rejected")
    assert "; who reads InferenceService ranker has it. " in stalled["message"]
    assert way_out in stalled["message"]


async def test_who_writes_the_rejected_content_and_its_weight_all_the_time_is_seen_in_the_condition() -> None:
    models = await rejected_model(FLUX)
    for _ in range(20):
        models.edit(model="m2", weight=100)
        await models.house.look(2)
    assert models.spec() == {"model": "m2", "weight": 100}
    assert "; not everybody is on stable, as Delivered says. " in models.stalled["message"]


async def test_a_flag_that_somebody_else_keeps_at_the_rejected_version_is_seen_in_the_condition() -> None:
    house = await prompt_at_10()
    at_10 = house.flags()
    house.annotate(abort="1")
    await looks(house, 1, 1)
    house.put(ROLLOUT, documents.rollout("v2", gates=[]))
    for _ in range(8):
        raw = house.cluster.at(CONFIG_MAP, "reply-flags")
        raw["data"]["flags.json"] = at_10
        house.tell(CONFIG_MAP, house.cluster.put(CONFIG_MAP, raw))
        await house.look(2)
    assert "; not everybody is on stable, as Delivered says. " in condition(house)["message"]


async def test_under_the_kill_switch_to_legacy_nobody_is_said_to_be_on_stable() -> None:
    house = await prompt_at_10(**NEVER)
    house.put(ROLLOUT, documents.rollout("v2", gates=[], killSwitch="Legacy", **NEVER))
    await looks(house, 5, 5, 5)
    assert json.loads(house.flags())["flags"]["reply"]["defaultVariant"] == "legacy"
    assert "; the kill switch gives everybody the legacy path. " in condition(house)["message"]


async def test_a_rejected_prompt_after_a_target_is_said_to_be_nobodys() -> None:
    models = Models()
    house = models.house
    await house.versions("v1", "v2")
    for version in ("v1", "v2"):
        house.put(ROLLOUT, documents.rollout(version, gates=[]))
        await house.look(1)
    house.annotate(abort="1")
    await looks(house, 1, 1)
    models.apply()
    await house.look(1)
    raw = house.rollout
    raw["spec"].pop("target")
    raw["spec"] |= documents.rollout("v2", gates=[])["spec"]
    house.tell(ROLLOUT, house.cluster.put(ROLLOUT, raw))
    await house.look(31)
    assert "; no version of it is stable yet. Name another version, " in condition(house)["message"]


async def test_of_a_target_that_nobody_keeps_no_version_is_to_be_named() -> None:
    models = await rejected_model()
    models.edit(model="m2")
    await models.goes_on(1, 3)
    stable = models.status["stable"]["version"]
    assert f". Put spec.model back as in {stable}, or write another content, or " in models.stalled["message"]


async def test_a_restore_that_is_refused_says_what_a_person_can_do() -> None:
    house = await prompt_at_10()
    house.cluster.fault = lambda kind, sub: Refused("pipelines only") if (kind, sub) == (ROLLOUT, "") else None
    house.annotate(abort="1")
    await looks(house, 5, 5, 5)
    assert condition(house)["message"] == (
        "pipelines only; it is tried again until something else is asked for: change spec.prompt.version from v2 to v1"
    )


@pytest.mark.parametrize("spec", [{}, NEVER], ids=["restored", "left"])
async def test_going_on_to_stables_content_under_another_name_settles_a_revert(spec: dict[str, Any]) -> None:
    house = await prompt_at_10(**spec)
    house.annotate(abort="1")
    await looks(house, 1, 1)
    await house.version(documents.version("v4", text="You are v1."))
    house.put(ROLLOUT, documents.rollout("v4", gates=[], **spec))
    await looks(house, 5, 5)
    assert (house.status["stable"]["version"], house.status["phase"]) == ("v4", "Idle")
    assert condition(house)["status"] == "False"
    assert condition(house, "Ready")["status"] == "True"


@pytest.mark.parametrize("model", ["m1", "m3"])
async def test_a_first_version_of_an_object_that_was_made_again_settles_a_revert(model: str) -> None:
    models = await rejected_model()
    make_again(models, model)
    await models.goes_on(1, 4)
    assert (models.stalled["status"], models.status["phase"]) == ("False", "Idle")


async def test_what_a_retry_made_stable_is_not_called_taken_back() -> None:
    models = await rejected_model()
    make_again(models, "m2")
    await models.goes_on(1, 3)
    models.house.annotate(retry="1")
    await models.goes_on(1, 4)
    assert (models.stalled["status"], models.status["phase"]) == ("False", "Idle")
