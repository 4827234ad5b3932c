"""A target whose Rollout is deleted in the midst of its way back, and the next Rollout of that name."""

from typing import Any

import pytest

from headgate.cluster.objects import ROLLOUT, ClusterError, Refused, Unavailable
from tests.controller import documents
from tests.controller.house import REPLY
from tests.controller.ranker import MODEL, Ranker, target
from tests.delivery.test_field import SERVICE

FLAG = {"flag": {"name": "reply", "key": "company", "configMap": {"name": "flags"}}}
SUBJECT: dict[str, Any] = {"delivery": [FLAG], "target": target(MODEL, exposure="Immediate")}
OTHER = target(MODEL, exposure="Immediate") | {"name": "other"}
FAULTS = [
    pytest.param(Refused("the policy lets nobody change a model today"), id="refused"),
    pytest.param(Unavailable("failed calling webhook"), id="no answer"),
]


async def deleted_on_the_way_back(fault: ClusterError) -> Ranker:
    """Model m2 is rejected and still in the object, which takes no write for now."""
    ranker = Ranker(**SUBJECT)
    await ranker.begin()
    ranker.edit("m2")
    await ranker.goes_on(1, times=2)
    ranker.house.cluster.fault = lambda kind, _subresource: fault if kind == SERVICE else None
    await ranker.is_taken_back()
    assert ranker.status["phase"] == "RollingBack"
    house = ranker.house
    view = house.store.lost_rollout(REPLY, int(house.rollout["metadata"]["resourceVersion"]))
    assert view is not None
    house.reconcile.depart(view)
    await house.look(1)
    assert ranker.model == "m2"
    return ranker


def begin_the_next(ranker: Ranker, **subject: Any) -> None:  # noqa: ANN401 - JSON
    """Somebody applies another Rollout of that name."""
    again = documents.rollout("v1", gates=[], steps=[{"weight": 10, "holdFor": "1h"}, {"weight": 100}], **subject)
    if "target" in subject:
        del again["spec"]["prompt"]
    ranker.house.put(ROLLOUT, {**again, "metadata": {**again["metadata"], "uid": "younger"}, "status": {}})


def mend(ranker: Ranker) -> None:
    ranker.house.cluster.fault = lambda _kind, _subresource: None


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_target_is_put_back_once_it_takes_writes_again(fault: ClusterError) -> None:
    ranker = await deleted_on_the_way_back(fault)
    mend(ranker)
    await ranker.house.look(600)
    assert ranker.model == "m1"
    assert await ranker.house.reconcile.look(REPLY) is None


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_ends_also_where_the_target_takes_no_writes_any_more(fault: ClusterError) -> None:
    ranker = await deleted_on_the_way_back(fault)
    for _ in range(400):
        await ranker.house.look(10)
    assert (ranker.model, await ranker.house.reconcile.look(REPLY)) == ("m2", None)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_next_rollout_of_that_name_waits_for_no_target_and_has_its_word_alone(fault: ClusterError) -> None:
    ranker = await deleted_on_the_way_back(fault)
    begin_the_next(ranker, **SUBJECT)
    await ranker.house.look(1)
    stalled = ranker.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "Rejected")
    ranker.house.annotate(retry="1")
    mend(ranker)
    for _ in range(6):
        await ranker.house.look(10)
    assert (ranker.model, ranker.status["phase"]) == ("m2", "Progressing")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({"delivery": [FLAG]}, id="a prompt"),
        pytest.param({"delivery": [FLAG], "target": OTHER}, id="another target"),
        pytest.param({"delivery": [FLAG], "target": OTHER, "ofANewerRelease": 1}, id="nobody can read what"),
    ],
)
async def test_it_is_put_back_although_the_next_rollout_of_that_name_releases_something_else(
    fault: ClusterError, subject: dict[str, object]
) -> None:
    ranker = await deleted_on_the_way_back(fault)
    await ranker.house.versions("v1")
    begin_the_next(ranker, **subject)
    await ranker.house.look(1)
    assert ranker.model == "m2"
    mend(ranker)
    for _ in range(5):
        await ranker.house.look(600)
    assert ranker.model == "m1"
