"""What Rollouts left behind is found again, and put at stable without them."""

import json

import pytest

from headgate.api.rollout import Delivery
from headgate.cluster.objects import CONFIG_MAP, EVENT, FEATURE_FLAG, HTTP_ROUTE, Kind
from headgate.delivery.claims import claims
from tests.delivery.memory_cluster import MemoryCluster
from tests.delivery.releases import FEATURE_FLAG_DELIVERY, FLAG_DELIVERY, ROUTE_DELIVERY, V7, at_rest, router, routing
from tests.delivery.test_http_route import OURS, route

PLACES = [
    (FLAG_DELIVERY, CONFIG_MAP, "flags"),
    (FEATURE_FLAG_DELIVERY, FEATURE_FLAG, "flags"),
    (ROUTE_DELIVERY, HTTP_ROUTE, "reply"),
]


@pytest.fixture
def cluster() -> MemoryCluster:
    made = MemoryCluster()
    made.put(HTTP_ROUTE, route(OURS))
    return made


@pytest.mark.parametrize(("delivery", "kind", "name"), PLACES)
@pytest.mark.parametrize(("weight", "shadow"), [(25, 0), (100, 0), (0, 50)])
async def test_an_orphan_is_put_at_stable(
    cluster: MemoryCluster, delivery: Delivery, kind: Kind, name: str, weight: int, shadow: int
) -> None:
    await router(cluster, delivery).apply(routing(weight, shadow=shadow, revision=7))
    (claim,) = claims(kind, cluster.at(kind, name))
    assert (claim.rollout, claim.uid, claim.revision, claim.exposing) == ("reply", "uid-1", 7, True)
    state = await router(cluster, claim.delivery).apply(claim.at_rest("ai"))
    assert (state.weight, state.shadow, state.revision, set(state.exposed)) == (0, 0, 8, {"sha256:7"})
    assert state.stable is not None
    assert (state.stable.version, state.stable.digest) == (V7.version, V7.digest)
    assert not claims(kind, cluster.at(kind, name))[0].exposing


@pytest.mark.parametrize(("delivery", "kind", "name"), PLACES)
async def test_at_rest_nothing_is_exposed(cluster: MemoryCluster, delivery: Delivery, kind: Kind, name: str) -> None:
    await router(cluster, delivery).apply(at_rest())
    assert [claim.exposing for claim in claims(kind, cluster.at(kind, name))] == [False]


def test_what_is_not_headgate_s_is_no_claim() -> None:
    flag = {"state": "ENABLED", "variants": {"on": True}}
    data = {
        "a": "no json",
        "b": json.dumps({"flags": {"x y": {**flag, "metadata": {"headgate.dev/rollout": "r"}}, "z": flag, "n": 1}}),
        "c": "",
    }
    assert claims(CONFIG_MAP, {"metadata": {"name": "flags"}, "data": {**data}}) == ()
    assert claims(HTTP_ROUTE, route(OURS, annotations={"headgate.dev/x": "{}", "headgate.dev/y": "?"})) == ()
    assert claims(EVENT, {}) == ()
