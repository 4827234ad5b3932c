"""What Rollouts that are gone left behind is put at stable, whatever else lies in the cluster."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from headgate.cluster.objects import CONFIG_MAP, Json
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller import orphans as orphans_module
from headgate.controller.orphans import Orphans
from headgate.controller.speaking import Speaking
from headgate.delivery.claims import claims
from tests.delivery.memory_cluster import MemoryCluster
from tests.delivery.releases import FLAG_DELIVERY, router, routing

BEYOND_ALL_FLOATS = 10**400


async def left_behind(cluster: MemoryCluster, *, change: Callable[[Any], None]) -> Orphans:
    """A flag at 25 % whose Rollout is gone, and before it the same one, changed by somebody."""
    await router(cluster, FLAG_DELIVERY).apply(routing(25, revision=7))
    left = cluster.at(CONFIG_MAP, "flags")
    [key] = left["data"]
    document = json.loads(left["data"][key])
    change(document["flags"]["reply"])
    theirs: Json = {"kind": "ConfigMap", "data": {key: json.dumps(document)}}
    theirs["metadata"] = {"name": "a", "namespace": "ai", "uid": "a", "labels": {"headgate.dev/watch": "true"}}
    store, snapshots = Store(), Snapshots(cluster)
    for raw in (cluster.put(CONFIG_MAP, theirs), left):
        store.documents.watched(CONFIG_MAP, raw, deleted=False)
    return Orphans(store, cluster, Speaking(cluster, snapshots), snapshots)


def exposing(cluster: MemoryCluster, name: str) -> list[bool]:
    return [claim.exposing for claim in claims(CONFIG_MAP, cluster.at(CONFIG_MAP, name))]


async def test_a_weight_that_no_number_can_hold_is_put_at_stable_as_any_other() -> None:
    def grows(flag: Any) -> None:  # noqa: ANN401 - JSON
        flag["targeting"]["if"][2]["fractional"][1][1] = BEYOND_ALL_FLOATS

    cluster = MemoryCluster()
    await (await left_behind(cluster, change=grows)).put_at_stable()
    assert exposing(cluster, "a") == exposing(cluster, "flags") == [False]


async def test_one_that_cannot_be_understood_keeps_no_other_from_its_way_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def claimed(kind: Any, document: Json) -> object:  # noqa: ANN401 - handed on
        if document["metadata"]["name"] == "a":  # type: ignore[index, call-overload]  # JSON
            raise ZeroDivisionError
        return claims(kind, document)

    monkeypatch.setattr(orphans_module, "claims", claimed)
    cluster = MemoryCluster()
    await (await left_behind(cluster, change=lambda _flag: None)).put_at_stable()
    assert exposing(cluster, "flags") == [False]
    assert "ConfigMap ai/a" in caplog.text
