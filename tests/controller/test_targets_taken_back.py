"""The way back of a target in bad hours: clocks that are put back, a Rollout that is deleted at once."""

from datetime import timedelta

import pytest

from headgate.cluster.objects import CONFIG_MAP, ClusterError, Kind, Refused
from tests.controller import documents
from tests.controller.models import MODEL, Models

FLAG = documents.flag_delivery()


@pytest.mark.parametrize(("refused", "reason"), [(MODEL, "RestoreRefused"), (CONFIG_MAP, "RecordRefused")])
async def test_what_was_refused_is_tried_again_although_the_clock_was_put_back_a_day(refused: Kind, reason: str) -> None:
    models = Models()
    if refused == MODEL:
        await models.begin(delivery=[FLAG], exposure="Immediate")
    else:
        await models.begin()
    await models.reaches_50()

    def refuses(kind: Kind, _subresource: str) -> ClusterError | None:
        return Refused("exceeded quota") if kind == refused else None

    models.house.cluster.fault = refuses
    models.house.annotate(abort="1")
    await models.house.look(1)
    await models.house.look(1)
    assert models.stalled["reason"] == reason
    models.house.cluster.fault = lambda _kind, _subresource: None
    models.house.time -= timedelta(days=1)
    await models.goes_on(60, times=2)
    assert models.status["phase"] == "RolledBack"
    assert models.spec()["model"] == "m1"
