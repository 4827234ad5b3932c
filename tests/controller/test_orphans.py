"""What Rollouts that are gone left behind is put at stable, whatever else lies in the cluster."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, Json
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller import orphans as orphans_module
from headgate.controller.orphans import Orphans
from headgate.controller.speaking import Speaking
from headgate.delivery import fence
from headgate.delivery.claims import claims
from headgate.engine.observation import Key
from headgate.engine.plan import Record
from tests.delivery.memory_cluster import MemoryCluster
from tests.delivery.releases import FLAG_DELIVERY, ROUTE_DELIVERY, V8, router, routing
from tests.delivery.test_http_route import OURS, ref, route

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


def looking(cluster: MemoryCluster, *, required: bool = False) -> Orphans:
    """As after a start with complete lists."""
    store, snapshots = Store(), Snapshots(cluster)
    for (kind, _, _), raw in cluster.objects.items():
        store.documents.watched(kind, raw, deleted=False)
    return Orphans(store, cluster, Speaking(cluster, snapshots, required=required), snapshots)


def weights(cluster: MemoryCluster, name: str) -> list[int]:
    return [ref["weight"] for ref in cluster.at(HTTP_ROUTE, name)["spec"]["rules"][0]["backendRefs"][:2]]


def forged(revision: object) -> Json:
    """A route with the marks of a Rollout that never was, by somebody who may write routes and nothing else."""
    marks = {
        "revision": revision,
        "uid": "x",
        "attempt": 0,
        "stable": {"version": "whatever a tenant likes", "digest": "sha256:ff"},
        "slot": 0,
        "candidate": None,
        "backends": ["blue", "green"],
        "mirror": None,
    }
    backends: Json = {"backendRefs": [ref("blue", weight=90), ref("green", weight=10)]}
    return route(backends, annotations={"headgate.dev/shop": json.dumps(marks)})


@pytest.mark.parametrize("required", [False, True])
async def test_the_marks_of_a_rollout_that_never_was_make_headgate_write_nothing_but_the_object_that_has_them(
    required: bool,
) -> None:
    cluster = MemoryCluster()
    cluster.put(HTTP_ROUTE, forged(1))
    theirs: Json = {"metadata": {"name": "shop-green", "annotations": {"headgate.dev/rollout": "shop"}}}
    cluster.put(CONFIG_MAP, {**theirs, "data": {"version": "v3", "digest": "sha256:3", "arm": "candidate"}})
    await looking(cluster, required=required).put_at_stable()
    assert weights(cluster, "reply") == [100, 0]
    assert cluster.writes == [("patch", "HTTPRoute", "reply")]


@pytest.mark.parametrize("required", [False, True])
async def test_a_route_that_a_rollout_left_behind_in_mid_attempt_is_put_at_stable(required: bool) -> None:
    cluster = MemoryCluster()
    cluster.put(HTTP_ROUTE, route(OURS))
    await router(cluster, ROUTE_DELIVERY).apply(routing(25, shadow=0, revision=7))
    assert weights(cluster, "reply") == [75, 25]
    await looking(cluster, required=required).put_at_stable()
    assert weights(cluster, "reply") == [100, 0]
    assert cluster.at(CONFIG_MAP, "reply-green")["data"]["version"] == V8.version, "an idle backend is left as it is"
    cluster.requests.clear()
    await looking(cluster, required=required).put_at_stable()
    assert cluster.writes == []


@pytest.mark.parametrize("revision", [2**63 - 1, 2**50 + 1, 10**400, -1, None], ids=lambda number: str(number)[:20])
async def test_a_revision_that_is_not_believed_neither_holds_up_an_orphan_nor_comes_on_record(revision: object) -> None:
    cluster = MemoryCluster()
    cluster.put(HTTP_ROUTE, forged(revision))
    await Snapshots(cluster).write_record(Key("ai", "shop"), Record(revision=3))
    await looking(cluster).put_at_stable()
    assert weights(cluster, "reply") == [100, 0]
    record = await Snapshots(cluster).record(Key("ai", "shop"))
    assert record is not None
    assert record.revision == 3


async def test_a_revision_that_is_believed_is_gone_on_from_by_the_next_rollout_of_that_name() -> None:
    cluster = MemoryCluster()
    cluster.put(HTTP_ROUTE, forged(fence.FARTHEST))
    await Snapshots(cluster).write_record(Key("ai", "shop"), Record(revision=3))
    await looking(cluster).put_at_stable()
    record = await Snapshots(cluster).record(Key("ai", "shop"))
    assert record is not None
    assert record.revision == fence.FARTHEST + 1
