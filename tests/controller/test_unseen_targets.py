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


async def test_so_it_does_for_a_weight_that_stands_in_the_target_itself() -> None:
    models = Models()
    await models.begin()
    await models.reaches_50()
    models.serve_too(MODEL_V1)
    models.apply(MODEL_V1)
    await models.house.look(1)
    models.restart(MODEL_V1)
    await models.house.look(1)
    assert (models.status["phase"], models.spec(MODEL_V1)["weight"]) == ("Progressing", 50)
    models.house.annotate(abort="1")
    await models.goes_on(30, times=3)
    assert models.status["phase"] == "RolledBack"
    assert models.spec(MODEL_V1) == {"model": "m1", "weight": 0}


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


async def test_what_is_stable_by_a_field_that_is_not_allowed_any_more_is_compared_with_nothing() -> None:
    models = Models(prompt="p1")
    await models.begin(("spec.model", "spec.prompt"))
    models.restart(MODEL, fields=("spec.model", "spec.weight"))
    models.apply(fields=("spec.model",))
    await models.goes_on(11, times=3)
    assert (models.status["attempts"], models.spec()["weight"]) == (0, 0)
    assert models.stalled["reason"] == "TargetNotAllowed"
    assert "spec.prompt of models.example.com/v1beta1 Model is not among the fields" in models.stalled["message"]
    assert "until this Rollout is Ready with the fields that it names now" in models.stalled["message"]
    # As the message says.
    models.restart(MODEL)
    await models.goes_on(11, times=2)
    assert (models.status["phase"], models.status["attempts"]) == ("Idle", 0)
    models.restart(MODEL, fields=("spec.model", "spec.weight"))
    await models.reaches_50()
    models.house.annotate(abort="1")
    await models.goes_on(30, times=3)
    assert (models.status["phase"], models.spec()["model"]) == ("RolledBack", "m1")


async def test_nor_is_it_on_a_way_back_which_then_waits() -> None:
    models = Models(prompt="p1")
    await models.begin(("spec.model", "spec.prompt"))
    await models.reaches_50()
    models.restart(MODEL, fields=("spec.model", "spec.weight"))
    models.apply(fields=("spec.model",))
    models.house.annotate(abort="1")
    await models.goes_on(100, times=3)
    assert (models.status["phase"], models.spec()) == ("RollingBack", {"model": "m2", "prompt": "p1", "weight": 0})
    assert models.stalled["reason"] == "TargetNotAllowed"
    models.restart(MODEL)
    await models.goes_on(100, times=2)
    assert (models.status["phase"], models.spec()["model"]) == ("RolledBack", "m1")
