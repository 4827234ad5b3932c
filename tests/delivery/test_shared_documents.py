"""Several Rollouts in one document: their writes go together, and none is held up by another's trouble."""

import asyncio
import json
from dataclasses import replace

import pytest

from headgate.api.rollout import Delivery, FlagConfigMap, FlagDelivery
from headgate.cluster.objects import CONFIG_MAP, ClusterError, Conflict, Json, Kind, Refused, Unavailable
from headgate.delivery.refusals import Fenced
from headgate.delivery.router import Router, routers
from headgate.engine.routing import RouterState
from tests.delivery.memory_cluster import MemoryCluster
from tests.delivery.releases import at_rest, config_map, document, routing

NAMES = [f"rollout-{number}" for number in range(40)]


@pytest.fixture
def cluster() -> MemoryCluster:
    made = MemoryCluster()
    made.put(CONFIG_MAP, config_map('{"flags": {}}'))
    return made


def router(cluster: MemoryCluster, name: str, key: str = "flags.json") -> Router:
    place = FlagConfigMap(name="flags", key=key)
    delivery = Delivery(flag=FlagDelivery(name=name, key="companyId", config_map=place))
    (made,) = routers("ai", [delivery], cluster, cluster.documents).values()
    return made


async def release(cluster: MemoryCluster, name: str, weight: int = 10, revision: int = 1) -> RouterState:
    return await router(cluster, name).apply(routing(weight, revision=revision, rollout=name))


async def test_simultaneous_changes_of_one_document_are_few_writes_and_no_conflict(cluster: MemoryCluster) -> None:
    states = await asyncio.gather(*(release(cluster, name) for name in NAMES))
    assert all(state.matches for state in states)
    assert set(document(cluster.at(CONFIG_MAP, "flags"))["flags"]) == set(NAMES)
    assert len(cluster.writes) <= 2


async def test_two_keys_of_one_config_map_go_together(cluster: MemoryCluster) -> None:
    cluster.put(CONFIG_MAP, {"metadata": {"name": "flags", "labels": {"headgate.dev/watch": "true"}}})
    await asyncio.gather(*(router(cluster, "a", key).apply(routing(10, rollout="a")) for key in ("one", "two")))
    assert {"one", "two"} <= cluster.at(CONFIG_MAP, "flags")["data"].keys()


async def test_one_that_is_fenced_does_not_stop_the_others(cluster: MemoryCluster) -> None:
    await release(cluster, "a", revision=9)
    results = await asyncio.gather(
        *(release(cluster, name, weight=25, revision=2) for name in ("a", "b", "c")), return_exceptions=True
    )
    assert isinstance(results[0], Fenced)
    assert [isinstance(result, RouterState) and result.matches for result in results[1:]] == [True, True]


async def test_what_the_server_refuses_for_one_is_written_for_the_others(cluster: MemoryCluster) -> None:
    def refuse(body: Json) -> Exception | None:
        return Refused("no b here") if '"b"' in json.dumps(document(body)) else None

    cluster.refuse = refuse
    results = await asyncio.gather(*(release(cluster, name) for name in ("a", "b", "c")), return_exceptions=True)
    assert isinstance(results[1], Refused)
    assert set(document(cluster.at(CONFIG_MAP, "flags"))["flags"]) == {"a", "c"}


async def test_a_conflict_is_told_to_everybody_in_the_write(cluster: MemoryCluster) -> None:
    await release(cluster, "a")

    def foreign() -> None:
        found = cluster.at(CONFIG_MAP, "flags")
        found["data"]["other"] = "x"
        cluster.put(CONFIG_MAP, found)

    cluster.before_write = foreign
    results = await asyncio.gather(
        *(release(cluster, name, weight=25, revision=2) for name in ("b", "a")), return_exceptions=True
    )
    assert isinstance(results[0], Conflict)
    assert [await release(cluster, name, weight=25, revision=2) for name in ("a", "b")]
    assert cluster.at(CONFIG_MAP, "flags")["data"]["other"] == "x"


class Gate:
    """Holds up every patch until it is opened, and says when one has arrived."""

    def __init__(self, cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrivals: asyncio.Queue[None] = asyncio.Queue()
        self.open = asyncio.Event()
        self._patch = cluster.merge_patch
        monkeypatch.setattr(cluster, "merge_patch", self._merge_patch)

    async def _merge_patch(self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str) -> Json:
        self.arrivals.put_nowait(None)
        await self.open.wait()
        return await self._patch(kind, namespace, name, body, resource_version=resource_version)


async def test_an_interrupted_writer_tells_those_whose_changes_it_carried(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await release(cluster, "first", weight=10)
    gate = Gate(cluster, monkeypatch)
    first = asyncio.create_task(release(cluster, "first", weight=25, revision=2))
    await gate.arrivals.get()
    leader, carried = (asyncio.create_task(release(cluster, name)) for name in ("leader", "carried"))
    await asyncio.sleep(0)
    gate.open.set()
    assert (await first).matches
    gate.open.clear()
    await gate.arrivals.get()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    with pytest.raises(Unavailable, match="interrupted"):
        await carried
    gate.open.set()
    assert (await release(cluster, "carried")).matches


async def test_what_nobody_waits_for_any_more_is_not_written_by_somebody_else(
    cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await release(cluster, "a", weight=10)
    gate = Gate(cluster, monkeypatch)
    tasks = [asyncio.create_task(release(cluster, "a", weight=25, revision=2))]
    await gate.arrivals.get()
    tasks += [asyncio.create_task(release(cluster, name)) for name in ("b", "c")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert set(document(cluster.at(CONFIG_MAP, "flags"))["flags"]) == {"a", "c"}


async def test_a_document_that_was_deleted_under_a_writer_is_made_anew_at_the_next_try(cluster: MemoryCluster) -> None:
    await release(cluster, "a")
    cluster.before_write = cluster.objects.clear
    with pytest.raises(ClusterError):
        await release(cluster, "a", weight=25, revision=2)
    assert (await release(cluster, "a", weight=25, revision=2)).matches


async def test_rest_of_one_leaves_the_weight_of_the_other(cluster: MemoryCluster) -> None:
    await asyncio.gather(release(cluster, "a", 50), release(cluster, "b", 25))
    await router(cluster, "a").apply(replace(at_rest(revision=2), rollout="a"))
    assert router(cluster, "b").observe(routing(25, rollout="b")).matches
