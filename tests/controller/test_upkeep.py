"""The statuses that are only kept true are written in the end, whoever else writes the object meanwhile."""

from typing import Any

import pytest

from headgate.cluster.objects import PROMPT_VERSION, QUALITY_GATE, Conflict, Json, Kind
from headgate.cluster.store import Store
from headgate.controller import clock
from headgate.controller.prompt_versions import VersionUpkeep
from headgate.controller.quality_gates import GateUpkeep
from headgate.engine.observation import Key
from tests.controller import documents
from tests.controller.house import Cluster


@pytest.mark.parametrize("kind", [QUALITY_GATE, PROMPT_VERSION], ids=lambda kind: str(kind.kind))
async def test_a_status_that_met_somebody_elses_label_is_tried_again(kind: Kind) -> None:
    cluster, store = Cluster(), Store()
    upkeeps: dict[Kind, tuple[dict[str, Any], GateUpkeep | VersionUpkeep]] = {
        QUALITY_GATE: (documents.gate("it"), GateUpkeep(store, cluster, clock.now)),
        PROMPT_VERSION: (documents.version("it"), VersionUpkeep(store, cluster, clock.now)),
    }
    document, upkeep = upkeeps[kind]

    def told(raw: Json) -> None:
        if kind == QUALITY_GATE:
            store.saw_gate(raw)
        else:
            store.saw_version(raw)

    document["metadata"]["generation"] = 1
    told(cluster.put(kind, document))
    labelled = cluster.at(kind, "it")
    labelled["metadata"]["labels"] = {"team": "ai"}
    cluster.put(kind, labelled)
    # The scheduler looks again after an error; news of a label alone brings no look about.
    with pytest.raises(Conflict):
        await upkeep.look(Key("ai", "it"))
    told(cluster.at(kind, "it"))
    await upkeep.look(Key("ai", "it"))
    assert cluster.at(kind, "it")["status"]["conditions"][0]["status"] == "True"
