"""A flag in a FeatureFlag of the OpenFeature operator, whose older CRDs prune the flags' metadata."""

import json

import pytest

from headgate.cluster.objects import FEATURE_FLAG, Conflict
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.router import Router
from tests.delivery.memory_cluster import Document, MemoryCluster
from tests.delivery.releases import FEATURE_FLAG_DELIVERY, V7, at_rest, routing
from tests.delivery.releases import router as router_of


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster()


def router(cluster: MemoryCluster) -> Router:
    return router_of(cluster, FEATURE_FLAG_DELIVERY)


def flags(cluster: MemoryCluster) -> Document:
    found: Document = cluster.at(FEATURE_FLAG, "flags")["spec"]["flagSpec"]["flags"]
    return found


def prune(cluster: MemoryCluster) -> None:
    """What an older CRD does to what is stored."""
    found = cluster.at(FEATURE_FLAG, "flags")
    for flag in found["spec"]["flagSpec"]["flags"].values():
        flag.pop("metadata", None)
    cluster.put(FEATURE_FLAG, found)
    cluster.watch(FEATURE_FLAG, "flags")


async def test_it_is_created_with_a_default_variant_that_is_a_string(cluster: MemoryCluster) -> None:
    state = await router(cluster).apply(routing(25))
    assert (state.matches, state.weight) == (True, 25)
    assert flags(cluster)["reply"]["defaultVariant"] == "stable"
    assert cluster.at(FEATURE_FLAG, "flags")["apiVersion"] == "core.openfeature.dev/v1beta1"


async def test_other_flags_and_fields_stay(cluster: MemoryCluster) -> None:
    banner = {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"}
    spec: Document = {"flagSpec": {"flags": {"banner": banner}, "$evaluators": {"staff": {"var": "x"}}}, "more": 1}
    cluster.put(FEATURE_FLAG, {"metadata": {"name": "flags", "annotations": {"theirs": "x"}}, "spec": spec})
    await router(cluster).apply(routing(25))
    found = cluster.at(FEATURE_FLAG, "flags")
    found["spec"]["flagSpec"]["flags"].pop("reply")
    assert found["spec"] == spec
    assert found["metadata"]["annotations"]["theirs"] == "x"


async def test_it_matches_and_fences_where_the_crd_prunes_metadata(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(25, revision=7))
    prune(cluster)
    state = router(cluster).observe(routing(25, revision=7))
    assert (state.matches, state.revision, state.stable) == (True, 7, V7)
    with pytest.raises(Fenced):
        await router(cluster).apply(routing(50, revision=6))
    assert (await router(cluster).apply(at_rest(revision=8))).matches


async def test_a_gone_rollout_s_marks_make_room(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(25, revision=7, rollout="other"))
    prune(cluster)
    with pytest.raises(Unusable, match="FeatureFlag flags: flag reply belongs to Rollout other"):
        await router(cluster).apply(at_rest())
    await router_of(cluster, FEATURE_FLAG_DELIVERY, "other").apply(at_rest(revision=2))
    annotations = cluster.at(FEATURE_FLAG, "flags")["metadata"]["annotations"]
    assert json.loads(annotations["headgate.dev/other"]) == {}
    assert json.loads(annotations["headgate.dev/reply"])["reply"]["headgate.dev/revision"] == 2


async def test_without_the_crd_it_says_what_to_install() -> None:
    with pytest.raises(Unusable, match=r"serves no core\.openfeature\.dev/v1beta1; install the OpenFeature operator"):
        await router(MemoryCluster(FEATURE_FLAG)).apply(at_rest())


async def test_a_foreign_write_in_between_is_a_conflict(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    await router(cluster.peer()).apply(routing(10, revision=2))
    with pytest.raises(Conflict):
        await router(cluster).apply(routing(25, revision=3))
    assert (await router(cluster).apply(routing(25, revision=3))).weight == 25


async def test_a_rise_beside_what_flagd_would_drop_is_refused(cluster: MemoryCluster) -> None:
    spec: Document = {"flagSpec": {"flags": {"banner": {"state": "ON"}}}}
    cluster.put(FEATURE_FLAG, {"metadata": {"name": "flags"}, "spec": spec})
    with pytest.raises(Unusable, match="'banner' whose state"):
        await router(cluster).apply(routing(25))
    assert (await router(cluster).apply(at_rest())).matches
