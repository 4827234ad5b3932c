"""Routers that outlive their Rollout: for another of its name that has other ones, or for another name."""

from collections.abc import Mapping
from unittest.mock import ANY

import pytest

from headgate.cluster.objects import CONFIG_MAP, CONTROLLER_REVISION, ROLLOUT, ClusterError, Kind, Unavailable
from tests.controller.place import (
    ELDER,
    ELDEST,
    FIELD,
    FIELD_OF_RANKER,
    FLAG,
    FLAG_ELSEWHERE,
    OTHER_FLAG,
    ROUTE,
    YOUNGEST,
    Place,
)


@pytest.mark.parametrize("restart", [True, False], ids=["no operator ran", "a watch told nothing"])
async def test_one_made_again_for_another_router_leaves_nobody_on_the_old_one(restart: bool) -> None:
    place = await Place().begin()
    place.apply("reply", "v1", FLAG, ELDER)
    await place.looks()
    place.apply("reply", "v2", FLAG, ELDER)
    await place.looks("reply", 1, 11)
    assert place.flag() == 50
    place.is_deleted_unseen(ROLLOUT, "reply", restart=restart)
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
    place.is_deleted_unseen(ROLLOUT, "reply", restart=restart)
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


async def test_nobody_is_left_on_a_candidate_although_the_older_one_that_has_the_router_by_now_knows_no_version() -> (
    None
):
    place = await Place().begin()
    place.apply("old", "v1", FLAG, ELDEST)
    await place.looks("old")
    place.apply("old", "v2", FLAG, ELDEST)
    await place.looks("old", 1, 11)
    place.apply("reply", "of-which-there-is-none", FLAG, ELDER)
    await place.looks()
    place.is_deleted_unseen(ROLLOUT, "old", restart=True)
    place.apply("old", "v2", FLAG, YOUNGEST)
    assert place.flag() == 50
    await place.resync()
    assert place.flag() == 0
