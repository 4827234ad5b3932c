"""The way back of a target in bad hours: clocks that are put back, a Rollout that is deleted at once."""

from datetime import timedelta

import pytest

from headgate.api.rollout import AlertAction
from headgate.cluster.objects import CONFIG_MAP, ROLLOUT, Kind
from headgate.engine.alert_note import AlertNote
from tests.controller import documents
from tests.controller.models import MODEL, Models

FLAG = documents.flag_delivery()


@pytest.mark.parametrize(("refused", "reason"), [(MODEL, "RestoreRefused"), (CONFIG_MAP, "RecordRefused")])
async def test_what_was_refused_is_tried_again_although_the_clock_was_put_back(refused: Kind, reason: str) -> None:
    models = Models()
    if refused == MODEL:
        await models.begin(delivery=[FLAG], exposure="Immediate")
    else:
        await models.begin()
    await models.reaches_50()
    models.refuse(refused)
    models.house.annotate(abort="1")
    await models.house.look(1)
    await models.house.look(1)
    assert models.stalled["reason"] == reason
    models.refuse()
    models.house.time -= timedelta(days=1)
    await models.goes_on(60, times=2)
    assert models.status["phase"] == "RolledBack"
    assert models.spec()["model"] == "m1"


@pytest.mark.parametrize("how", ["kill switch", "abort", "alert"])
async def test_what_is_rejected_and_deleted_in_one_breath_stays_rejected(how: str) -> None:
    models = Models()
    await models.begin()
    await models.reaches_50()
    match how:
        case "kill switch":
            models.apply(killSwitch="Stable")
        case "abort":
            models.house.annotate(abort="1")
        case _:
            models.house.annotate(alert=AlertNote(1, AlertAction.ROLLBACK, "uid/1/2", "Burning", "it burns").written())
    models.house.delete()
    await models.goes_on(5, times=2)
    assert models.spec() == {"model": "m1", "weight": 0}
    again = documents.rollout("m1")
    again["metadata"] |= {"uid": "another", "creationTimestamp": "2026-11-21T12:30:00Z"}
    models.house.write(ROLLOUT, again)
    models.apply()
    models.edit(model="m2")
    await models.goes_on(11, times=3)
    assert models.stalled["reason"] == "Rejected"
    assert models.spec()["weight"] == 0
