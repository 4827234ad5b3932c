"""Whom KServe serves what, whatever people do around a release: nobody what was rejected or is not released yet."""

import pytest

from headgate.controller import clock
from tests.controller.house import REPLY
from tests.controller.ranker import MODEL, Ranker, target
from tests.delivery.test_field import SERVICE

HOUR = 3600.0


@pytest.fixture
async def ranker() -> Ranker:
    ranker = Ranker()
    await ranker.begin()
    return ranker


async def is_rejected_while_the_good_one_loads(ranker: Ranker) -> None:
    """m2 had 10 %; m1's own revision has everybody, and another one of it is loading."""
    ranker.edit("m2")
    await ranker.goes_on(1, times=2)
    assert ranker.served == {"m1": 90, "m2": 10}
    ranker.kserve.slow = True
    await ranker.is_taken_back()
    assert await ranker.goes_on(1, times=2) == [{"m1": 100}] * 2


@pytest.mark.parametrize("revert_spec", ["Auto", "Never"])
async def test_the_fix_of_a_rejected_model_shares_nothing_with_it_while_it_is_loading(revert_spec: str) -> None:
    ranker = Ranker(rollback={"revertSpec": revert_spec})
    await ranker.begin()
    await is_rejected_while_the_good_one_loads(ranker)
    ranker.edit("m3")
    assert await ranker.goes_on(11, times=5) == [{"m1": 100}] * 5
    assert ranker.status["attempt"]["step"]["name"] == "10"
    assert "KServe has no revision of the candidate ready" in ranker.condition("Delivered")["message"]
    ranker.kserve.slow = False
    assert await ranker.goes_on(1, times=2) == [{"m1": 90, "m3": 10}] * 2


async def test_a_model_that_never_becomes_ready_is_never_promoted_and_costs_no_writes(ranker: Ranker) -> None:
    ranker.kserve.slow = True
    ranker.edit("m2")
    await ranker.goes_on(11, times=3)
    before = len(ranker.house.cluster.writes)
    assert await ranker.goes_on(HOUR, times=5) == [{"m1": 100}] * 5
    assert (ranker.status["attempt"]["state"], ranker.status["stable"]["digest"]) != ("Ended", "m2")
    assert ranker.status["phase"] != "Idle"
    assert len(ranker.house.cluster.writes) - before <= 2


async def test_a_good_release_has_each_of_its_shares(ranker: Ranker) -> None:
    ranker.edit("m2")
    served = await ranker.goes_on(11, times=70)
    assert [each for index, each in enumerate(served) if index == 0 or each != served[index - 1]] == [
        {"m1": 90, "m2": 10},
        {"m1": 50, "m2": 50},
        {"m2": 100},
    ]
    assert (ranker.status["history"][0]["outcome"], ranker.weight) == ("Promoted", 100)


async def test_stables_values_written_back_in_the_bake_bring_everybody_back(ranker: Ranker) -> None:
    await ranker.reaches_the_bake("m2")
    ranker.kserve.slow = True
    ranker.edit("m1")
    await ranker.goes_on(1, times=3)
    ranker.kserve.slow = False
    await ranker.goes_on(60, times=3)
    assert (ranker.served, ranker.status["phase"]) == ({"m1": 100}, "Idle")


async def test_stables_values_written_back_in_the_moment_of_an_abort_are_served_later_and_it_is_said(
    ranker: Ranker,
) -> None:
    await ranker.reaches_the_bake("m2")
    ranker.kserve.slow = True
    ranker.house.annotate(abort="1")
    await ranker.house.look()
    ranker.edit("m1")
    await ranker.goes_on(1, times=3)
    assert ranker.served == {"m2": 100}, "KServe goes nowhere while a revision is loading"
    delivered = ranker.condition("Delivered")
    assert delivered["status"] == "False"
    assert "KServe gives everybody to ranker-00002 until ranker-00003" in delivered["message"]
    ranker.kserve.slow = False
    await ranker.goes_on(1, times=2)
    assert (ranker.served, ranker.condition("Delivered")["status"]) == ({"m1": 100}, "True")


async def test_a_rejected_model_that_is_written_back_before_kserve_went_back_is_said_to_have_everybody(
    ranker: Ranker,
) -> None:
    await ranker.reaches_the_bake("m2")
    ranker.house.annotate(abort="1")
    await ranker.house.look()
    ranker.edit(minReplicas=2)
    ranker.edit("m1")
    await ranker.house.look()
    ranker.edit("m2")
    await ranker.goes_on(60, times=3)
    assert (ranker.served, ranker.status["phase"]) == ({"m2": 100}, "RolledBack")
    assert ranker.condition("Delivered")["status"] == "False"
    assert "does not serve stable: put stable's fields back" in ranker.condition("Delivered")["message"]
    ranker.edit("m1")
    await ranker.goes_on(1, times=3)
    assert (ranker.served, ranker.condition("Delivered")["status"]) == ({"m1": 100}, "True")


async def test_an_edit_in_the_bake_is_not_released_beside_a_model_that_never_became_stable(ranker: Ranker) -> None:
    await ranker.reaches_the_bake("m2")
    ranker.edit("m3")
    assert await ranker.goes_on(31, times=5) == [{"m2": 100}] * 5
    assert "put stable's fields back first" in ranker.condition("Delivered")["message"]
    ranker.edit("m1")
    await ranker.goes_on(11, times=5)
    assert ranker.served == {"m1": 100}


async def test_an_edit_before_kserve_went_back_is_not_released_beside_the_rejected_model(ranker: Ranker) -> None:
    await ranker.reaches_the_bake("m2")
    await ranker.is_taken_back()
    ranker.edit("m3")
    assert all("m3" not in served for served in await ranker.goes_on(11, times=5))


@pytest.mark.parametrize("rejected_before", [True, False])
async def test_other_fields_that_may_not_be_released_leave_everybody_where_they_are(rejected_before: bool) -> None:
    ranker = Ranker(bakeFor=None)
    await ranker.begin()
    await ranker_promotes(ranker, "m2")
    if rejected_before:
        ranker.edit("m3")
        await ranker.goes_on(11, times=2)
        await ranker.is_taken_back(2)
        await ranker.goes_on(1, times=3)
    assert ranker.served == {"m2": 100}
    ranker.apply(target=target(MODEL, "spec.predictor.image"))
    assert await ranker.goes_on(HOUR, times=5) == [{"m2": 100}] * 5
    assert ranker.condition("Stalled")["reason"] == "TargetNotAllowed"


async def ranker_promotes(ranker: Ranker, model: str) -> None:
    """A whole good release."""
    ranker.edit(model)
    await ranker.goes_on(11, times=10)
    assert (ranker.served, ranker.status["phase"]) == ({model: 100}, "Idle")


async def test_an_allowlist_that_is_narrowed_leaves_everybody_where_they_are() -> None:
    ranker = Ranker(bakeFor=None)
    await ranker.begin()
    await ranker_promotes(ranker, "m2")
    allowed = ranker.house.store.targets.allowed
    for key, kind in list(allowed.items()):
        allowed[key] = kind.model_copy(update={"fields": ["spec.predictor.minReplicas"]})
    ranker.edit(minReplicas=2)
    assert await ranker.goes_on(HOUR, times=3) == [{"m2": 100}] * 3


async def test_other_fields_that_are_declared_while_the_good_model_loads_expose_nobody(ranker: Ranker) -> None:
    await is_rejected_while_the_good_one_loads(ranker)
    ranker.apply(target=target(MODEL, "spec.predictor.minReplicas"))
    assert await ranker.goes_on(1, times=5) == [{"m1": 100}] * 5


async def test_other_fields_that_are_declared_at_rest_move_nobody() -> None:
    ranker = Ranker(bakeFor=None)
    await ranker.begin()
    await ranker_promotes(ranker, "m2")
    ranker.apply(target=target(MODEL, "spec.predictor.minReplicas"))
    assert await ranker.goes_on(1, times=5) == [{"m2": 100}] * 5


async def test_marks_that_are_lost_while_the_good_model_loads_expose_nobody(ranker: Ranker) -> None:
    await is_rejected_while_the_good_one_loads(ranker)
    service = ranker.service
    del service["metadata"]["annotations"]["headgate.dev/reply"]
    ranker.house.tell(SERVICE, ranker.house.cluster.put(SERVICE, service))
    assert await ranker.goes_on(1, times=5) == [{"m1": 100}] * 5
    ranker.kserve.slow = False
    assert await ranker.goes_on(1, times=5) == [{"m1": 100}] * 5


async def test_a_promotion_stays_where_the_next_edit_is_taken_back_before_kserve_looked(ranker: Ranker) -> None:
    ranker.apply(bakeFor=None)
    ranker.edit("m2")
    await ranker.goes_on(11, times=2)
    for _ in range(3):
        await ranker.house.look(11)
    assert ranker.status["history"][0]["outcome"] == "Promoted"
    ranker.edit("m3")
    await ranker.house.look()
    ranker.edit("m2")
    await ranker.house.look()
    await ranker.goes_on(600, times=4)
    assert ranker.served == {"m2": 100}


async def test_an_edit_of_something_else_in_the_bake_does_not_make_the_rejected_model_stables(ranker: Ranker) -> None:
    await ranker.reaches_the_bake("m2")
    ranker.edit(minReplicas=3)
    ranker.reconcile()
    await ranker.house.look(1)
    ranker.kserve.slow = True
    await ranker.is_taken_back()
    await ranker.goes_on(1, times=3)
    ranker.kserve.slow = False
    await ranker.goes_on(60, times=3)
    assert (ranker.served, ranker.model) == ({"m1": 100}, "m1")


async def test_a_revert_restores_what_was_released_also_where_the_spec_names_something_else_meanwhile() -> None:
    flag = {"flag": {"name": "reply", "key": "company", "configMap": {"name": "flags"}}}
    ranker = Ranker(delivery=[flag], target=target(exposure="Immediate"))
    await ranker.begin()
    ranker.edit("m2")
    await ranker.goes_on(1, times=2)
    ranker.apply(target=target(MODEL, "spec.predictor.image", exposure="Immediate"))
    await ranker.goes_on(1)
    await ranker.is_taken_back()
    await ranker.goes_on(1, times=3)
    assert (ranker.model, ranker.served) == ("m1", {"m1": 100})


@pytest.mark.usefixtures("at_the_house_s_time")
class TestWaitsForKServe:
    """How long the fields wait until KServe has gone back."""

    @pytest.fixture
    def at_the_house_s_time(self, ranker: Ranker, monkeypatch: pytest.MonkeyPatch) -> None:
        def monotonic() -> float:
            return ranker.house.time.timestamp()

        monkeypatch.setattr(clock, "monotonic", monotonic)

    async def test_a_status_older_than_the_hundred_percent_is_waited_for(self, ranker: Ranker) -> None:
        ranker.edit("m2")
        await ranker.goes_on(11, times=2)
        while ranker.weight != 100:
            await ranker.house.look(11)
        ranker.reconcile(reports=False)
        await ranker.is_taken_back()
        assert (ranker.weight, ranker.model) == (0, "m2")
        ranker.kserve.slow = True
        await ranker.goes_on(11, times=3)
        assert (ranker.served, ranker.model) == ({"m1": 100}, "m1")

    async def test_a_manifest_that_is_gone_takes_nothing_from_it(self, ranker: Ranker) -> None:
        await ranker.reaches_the_bake("m2")
        name = ranker.status["attempt"]["manifest"]
        for key in [key for key in ranker.house.cluster.objects if key[2] == name]:
            del ranker.house.cluster.objects[key]
        ranker.restart()
        await ranker.is_taken_back()
        assert (ranker.weight, ranker.model) == (0, "m2")
        await ranker.goes_on(11, times=3)
        assert (ranker.served, ranker.model) == ({"m1": 100}, "m1")

    async def test_it_is_counted_for_each_attempt_anew(self, ranker: Ranker) -> None:
        await ranker.reaches_the_bake("m2")
        await ranker.is_taken_back()
        ranker.edit("m1")
        await ranker.goes_on(11, times=5)
        assert ranker.served == {"m1": 100}
        ranker.house.time = ranker.house.time.replace(day=ranker.house.time.day + 1)
        await ranker.reaches_the_bake("m3")
        await ranker.is_taken_back(2)
        assert (ranker.weight, ranker.model) == (0, "m3")

    async def test_a_kserve_that_does_nothing_is_not_waited_for_for_ever(self, ranker: Ranker) -> None:
        await ranker.reaches_the_bake("m2")
        await ranker.is_taken_back()
        for _ in range(8):
            await ranker.house.look(5)
        assert ranker.model == "m1"
        assert ranker.house.store.rollouts.get(REPLY) is not None
