"""A target whose kind is served, allowed or named otherwise than when its good content was kept."""

from tests.controller import documents
from tests.controller.models import MODEL, MODEL_V1, Models


async def test_after_a_move_to_another_api_version_a_revert_needs_the_old_one_no_more() -> None:
    models = Models()
    await models.begin()
    models.serve_too(MODEL_V1)
    models.apply(MODEL_V1)
    await models.house.look(1)
    assert (models.status["phase"], models.status["attempts"]) == ("Idle", 0)
    assert models.status["stable"]["target"]["apiVersion"] == MODEL_V1.api_version
    models.restart(MODEL_V1)
    await models.reaches_50(MODEL_V1)
    models.house.annotate(abort="1")
    await models.goes_on(30, times=3)
    assert models.status["phase"] == "RolledBack"
    assert models.spec(MODEL_V1) == {"model": "m1", "weight": 0}


async def test_a_move_in_the_middle_of_an_attempt_counts_for_its_way_back_too() -> None:
    models = Models()
    await models.begin(delivery=[documents.flag_delivery()], exposure="Immediate")
    await models.reaches_50()
    models.serve_too(MODEL_V1)
    models.apply(MODEL_V1, delivery=[documents.flag_delivery()], exposure="Immediate")
    await models.house.look(1)
    models.restart(MODEL_V1)
    models.house.annotate(abort="1")
    await models.goes_on(30, times=3)
    assert models.status["phase"] == "RolledBack"
    assert models.spec(MODEL_V1)["model"] == "m1"


async def test_a_way_back_waits_for_a_target_that_is_not_to_be_seen() -> None:
    models = Models()
    await models.begin(delivery=[documents.flag_delivery()], exposure="Immediate")
    await models.reaches_50()
    models.refuse(MODEL)
    models.house.annotate(abort="1")
    await models.house.look(1)
    models.restart()
    models.refuse()
    await models.goes_on(100, times=3)
    assert models.status["phase"] == "RollingBack"
    assert models.stalled["reason"] == "TargetNotAllowed"
    assert models.status["weight"] == 0
    models.allow(MODEL)
    await models.goes_on(100, times=2)
    assert models.status["phase"] == "RolledBack"
    assert models.spec()["model"] == "m1"
