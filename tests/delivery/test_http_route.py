"""An HTTPRoute as a router: weights, mirror, backends' ConfigMaps, and the order in which they are written."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from headgate.api.rollout import KillSwitch
from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, Conflict, JsonValue
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.router import Router
from tests.delivery.memory_cluster import Document, MemoryCluster
from tests.delivery.releases import ROUTE_DELIVERY, V7, V8, V9, at_rest, routing
from tests.delivery.releases import router as router_of


def ref(name: str, **more: JsonValue) -> Document:
    return {"group": "", "kind": "Service", "name": name, "port": 80, "weight": 1, **more}


def route(*rules: Document, **metadata: JsonValue) -> Document:
    return {"metadata": {"name": "reply", **metadata}, "spec": {"parentRefs": [{"name": "gw"}], "rules": list(rules)}}


OURS: Document = {
    "backendRefs": [ref("blue"), ref("green")],
    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
}
THEIR_MIRROR: Document = {
    "type": "RequestMirror",
    "requestMirror": {"backendRef": {"group": "", "kind": "Service", "name": "audit", "port": 80}},
}
HEADER: Document = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]}}


@pytest.fixture
def cluster() -> MemoryCluster:
    made = MemoryCluster()
    made.put(HTTP_ROUTE, route({"backendRefs": [ref("docs")]}, OURS))
    return made


def router(cluster: MemoryCluster) -> Router:
    return router_of(cluster, ROUTE_DELIVERY)


def weights(cluster: MemoryCluster, rule: int = 1) -> list[int]:
    refs = cluster.at(HTTP_ROUTE, "reply")["spec"]["rules"][rule]["backendRefs"]
    return [ref["weight"] for ref in refs]


def filters(cluster: MemoryCluster, rule: int = 1) -> Any:  # noqa: ANN401 - a part of a document, or its absence
    return cluster.at(HTTP_ROUTE, "reply")["spec"]["rules"][rule].get("filters")


def backend(cluster: MemoryCluster, name: str) -> tuple[str, str, str]:
    data = cluster.at(CONFIG_MAP, f"reply-{name}")["data"]
    return data["version"], data["digest"], data["arm"]


async def test_at_rest_the_first_backend_has_everything_and_both_know_what_to_run(cluster: MemoryCluster) -> None:
    state = await router(cluster).apply(at_rest(revision=3))
    assert weights(cluster) == [100, 0]
    assert backend(cluster, "blue") == ("reply-v7", "sha256:7", "stable")
    assert backend(cluster, "green") == ("reply-v7", "sha256:7", "idle")
    assert cluster.at(CONFIG_MAP, "reply-blue")["metadata"]["labels"] == {"headgate.dev/watch": "true"}
    assert (state.matches, state.weight, state.revision, state.stable, state.stable_slot) == (True, 0, 3, V7, 0)
    assert set(state.exposed) == {"sha256:7"}


async def test_nothing_else_of_the_route_is_touched(cluster: MemoryCluster) -> None:
    before = cluster.at(HTTP_ROUTE, "reply")
    await router(cluster).apply(routing(25))
    after = cluster.at(HTTP_ROUTE, "reply")
    assert set(after["metadata"].pop("annotations")) == {"headgate.dev/reply"}
    for ref, weight in zip(after["spec"]["rules"][1]["backendRefs"], (75, 25), strict=True):
        assert ref.pop("weight") == weight
        ref["weight"] = 1
    assert after["spec"] == before["spec"]
    assert {**after["metadata"], "resourceVersion": ""} == {**before["metadata"], "resourceVersion": ""}


async def test_each_step_costs_one_patch_and_rest_costs_nothing(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    cluster.requests.clear()
    for revision, weight in ((2, 10), (3, 25), (4, 100)):
        state = await router(cluster).apply(routing(weight, revision=revision))
        assert (state.matches, state.weight) == (True, weight)
        assert weights(cluster) == [100 - weight, weight]
    await router(cluster).apply(routing(100, revision=4))
    await router(cluster).apply(routing(100, revision=5))
    assert cluster.requests == [("patch", "ConfigMap", "reply-green"), *[("patch", "HTTPRoute", "reply")] * 3]


async def test_two_releases_in_a_row_swap_the_backends_and_promotion_moves_no_traffic(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest(revision=1))
    await router(cluster).apply(routing(100, revision=2))
    assert weights(cluster) == [0, 100]
    cluster.requests.clear()
    state = await router(cluster).apply(at_rest(revision=3, stable=V8, slot=1))
    assert weights(cluster) == [0, 100]
    assert (state.matches, state.weight, state.stable, state.stable_slot) == (True, 0, V8, 1)
    assert set(state.exposed) == {"sha256:8"}
    assert backend(cluster, "green") == ("reply-v8", "sha256:8", "stable")
    assert backend(cluster, "blue") == ("reply-v7", "sha256:7", "stable"), "it gets nothing, and keeps what it ran"
    assert len(cluster.writes) == 2
    state = await router(cluster).apply(routing(10, revision=4, stable=V8, candidate=V9, slot=1, attempt=2))
    assert weights(cluster) == [10, 90]
    assert backend(cluster, "blue") == ("reply-v9", "sha256:9", "candidate")
    assert set(state.exposed) == {"sha256:8", "sha256:9"}
    await router(cluster).apply(routing(100, revision=5, stable=V8, candidate=V9, slot=1, attempt=2))
    state = await router(cluster).apply(at_rest(revision=6, stable=V9, slot=0))
    assert weights(cluster) == [100, 0]
    assert (state.matches, state.stable, state.stable_slot) == (True, V9, 0)


async def recorded(cluster: MemoryCluster, act: Callable[[], Any]) -> list[tuple[str, list[int], str]]:
    """Before each write: what is written, the weights, and what the idle backend is told to run."""
    seen = []

    def note() -> None:
        kind = cluster.requests[-1][1]
        seen.append((kind, weights(cluster), backend(cluster, "green")[0]))
        cluster.before_write = note

    cluster.before_write = note
    await act()
    cluster.before_write = None
    return seen


async def test_the_candidate_is_published_before_weights_rise(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    order = await recorded(cluster, lambda: router(cluster).apply(routing(10, revision=2)))
    assert order == [("ConfigMap", [100, 0], "reply-v7"), ("HTTPRoute", [100, 0], "reply-v8")]


async def test_the_candidate_is_taken_away_after_weights_fell(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50))
    order = await recorded(cluster, lambda: router(cluster).apply(at_rest(revision=2)))
    assert order == [("HTTPRoute", [50, 50], "reply-v8"), ("ConfigMap", [100, 0], "reply-v8")]
    assert backend(cluster, "green") == ("reply-v7", "sha256:7", "idle")


async def test_a_newer_candidate_is_published_only_once_the_backend_gets_nothing(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50))
    wanted = routing(10, revision=2, candidate=V9, attempt=2)
    order = await recorded(cluster, lambda: router(cluster).apply(wanted))
    assert order == [
        ("HTTPRoute", [50, 50], "reply-v8"),
        ("ConfigMap", [100, 0], "reply-v8"),
        ("HTTPRoute", [100, 0], "reply-v9"),
    ]
    assert router(cluster).observe(wanted).matches


async def test_a_candidate_is_published_while_it_is_only_verified(cluster: MemoryCluster) -> None:
    state = await router(cluster).apply(routing(0))
    assert (state.matches, weights(cluster)) == (True, [100, 0])
    assert backend(cluster, "green") == ("reply-v8", "sha256:8", "candidate")


async def test_shadowing_mirrors_to_the_idle_backend_and_leaves_without_a_trace(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    before = cluster.at(HTTP_ROUTE, "reply")["spec"]
    state = await router(cluster).apply(routing(shadow=40, revision=2))
    mirror = {"backendRef": {"group": "", "kind": "Service", "name": "green", "port": 80}, "percent": 40}
    assert filters(cluster) == [{"type": "RequestMirror", "requestMirror": mirror}]
    assert (state.matches, state.weight, state.shadow, set(state.exposed)) == (True, 0, 40, {"sha256:7"})
    await router(cluster).apply(routing(10, revision=3))
    assert filters(cluster) is None
    await router(cluster).apply(at_rest(revision=4))
    assert cluster.at(HTTP_ROUTE, "reply")["spec"] == before


async def test_a_shadow_of_everything_says_no_percent_and_another_share_replaces_it(cluster: MemoryCluster) -> None:
    assert (await router(cluster).apply(routing(shadow=100))).shadow == 100
    assert "percent" not in filters(cluster)[0]["requestMirror"]
    assert (await router(cluster).apply(routing(shadow=20, revision=2))).shadow == 20
    assert len(filters(cluster)) == 1


@pytest.mark.parametrize("theirs", [[THEIR_MIRROR], [HEADER], [HEADER, THEIR_MIRROR]])
async def test_people_s_own_filters_survive_shadowing(cluster: MemoryCluster, theirs: list[JsonValue]) -> None:
    cluster.put(HTTP_ROUTE, route({**OURS, "filters": theirs}))
    await router(cluster).apply(routing(shadow=40))
    assert filters(cluster, 0)[:-1] == theirs
    await router(cluster).apply(at_rest(revision=2))
    assert filters(cluster, 0) == theirs


async def test_a_mirror_of_people_s_own_to_the_same_backend_survives(cluster: MemoryCluster) -> None:
    to_green: Document = {
        "type": "RequestMirror",
        "requestMirror": {"backendRef": {"name": "green", "port": 80}, "percent": 5},
    }
    cluster.put(HTTP_ROUTE, route({**OURS, "filters": [to_green]}))
    await router(cluster).apply(routing(shadow=40))
    assert len(filters(cluster, 0)) == 2
    await router(cluster).apply(at_rest(revision=2))
    assert filters(cluster, 0) == [to_green]


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([{"backendRefs": [ref("docs")]}], "no rule names both blue and green, each once; add both"),
        ([{"backendRefs": [ref("blue")]}], "each once, only blue; add the other to its rule"),
        ([{"backendRefs": [ref("blue"), ref("green", namespace="other")]}], "only blue"),
        ([{"backendRefs": [ref("blue"), ref("green"), ref("blue", port=81)]}], "each once"),
        ([OURS, OURS], "the rules 0, 1 all name both blue and green"),
        (
            [{"backendRefs": [ref("blue"), ref("green"), ref("red", weight=5)]}],
            "backend red shares the rule .* weight 5",
        ),
    ],
)
async def test_a_route_without_our_rule_is_refused_by_name(
    cluster: MemoryCluster, rules: list[Document], why: str
) -> None:
    cluster.put(HTTP_ROUTE, route(*rules))
    with pytest.raises(Unusable, match=f"HTTPRoute reply: .*{why}"):
        await router(cluster).apply(routing(10))
    assert cluster.writes == []


@pytest.mark.parametrize("rules", [[OURS, OURS], [{"backendRefs": [ref("blue"), ref("green"), ref("red", weight=5)]}]])
async def test_weights_fall_even_on_a_route_on_which_none_may_rise(
    cluster: MemoryCluster, rules: list[Document]
) -> None:
    await router(cluster).apply(routing(50))
    found = cluster.at(HTTP_ROUTE, "reply")
    for rule in rules:
        rule["backendRefs"][1]["weight"] = 50
    cluster.put(HTTP_ROUTE, {**found, "spec": {"rules": [*rules]}})
    cluster.watch(HTTP_ROUTE, "reply")
    state = await router(cluster).apply(at_rest(revision=2))
    assert (state.weight, state.matches) == (0, False)
    assert state.problem is not None
    assert all(weights(cluster, rule)[:2] == [100, 0] for rule in range(len(rules)))
    cluster.requests.clear()
    await router(cluster).apply(at_rest(revision=2))
    assert cluster.writes == []


async def test_a_third_backend_without_weight_and_the_route_s_own_namespace_are_fine(cluster: MemoryCluster) -> None:
    refs: JsonValue = [ref("red", weight=0), ref("green"), ref("blue", namespace="ai")]
    cluster.put(HTTP_ROUTE, route({"backendRefs": refs}, namespace="ai"))
    assert (await router(cluster).apply(routing(30))).matches
    assert weights(cluster, 0) == [0, 30, 70]


async def test_a_route_that_is_not_there_is_named(cluster: MemoryCluster) -> None:
    cluster.objects.clear()
    assert not router(cluster).observe(at_rest()).matches
    with pytest.raises(Unusable, match="HTTPRoute reply is not there; create it with a rule that names blue and green"):
        await router(cluster).apply(at_rest())


async def test_a_higher_revision_is_never_overwritten(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest(revision=7))
    other = router(cluster.peer())
    with pytest.raises(Fenced):
        await router(cluster).apply(routing(50, revision=6))
    with pytest.raises(Fenced):
        await other.apply(routing(50, revision=6))
    assert weights(cluster) == [100, 0]


async def test_a_conflict_is_told_unless_a_later_decision_won(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())

    def foreign() -> None:
        found = cluster.at(HTTP_ROUTE, "reply")
        found["metadata"]["labels"] = {"x": "y"}
        cluster.put(HTTP_ROUTE, found)

    await router(cluster).apply(routing(0, revision=2))
    cluster.before_write = foreign
    with pytest.raises(Conflict):
        await router(cluster).apply(routing(10, revision=3))
    assert (await router(cluster).apply(routing(10, revision=3))).matches
    await router(cluster.peer()).apply(at_rest(revision=9))
    with pytest.raises(Fenced):
        await router(cluster).apply(routing(25, revision=4))


async def test_another_rollout_s_route_is_refused_until_that_rollout_is_gone(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50, rollout="other", revision=40))
    assert "belongs to Rollout other" in (router(cluster).observe(at_rest()).problem or "")
    with pytest.raises(Unusable, match="belongs to Rollout other"):
        await router(cluster).apply(at_rest())
    assert (await router_of(cluster, ROUTE_DELIVERY, "other").apply(at_rest())).matches


async def test_a_foreign_config_map_of_a_backend_is_refused_and_traffic_falls_all_the_same(
    cluster: MemoryCluster,
) -> None:
    await router(cluster).apply(routing(50))
    theirs = cluster.at(CONFIG_MAP, "reply-green")
    theirs["metadata"].pop("annotations")
    cluster.put(CONFIG_MAP, theirs)
    cluster.watch(CONFIG_MAP, "reply-green")
    with pytest.raises(Unusable, match="ConfigMap reply-green is there and not headgate's"):
        await router(cluster).apply(at_rest(revision=2))
    assert weights(cluster) == [100, 0]


@pytest.mark.parametrize(("foreign", "weight"), [((20, 80), 80), ((100, 0), 0), ((0, 100), 100), ((2, 1), 34)])
async def test_drift_is_seen_with_its_share_and_corrected(
    cluster: MemoryCluster, foreign: tuple[int, int], weight: int
) -> None:
    await router(cluster).apply(routing(25))
    found = cluster.at(HTTP_ROUTE, "reply")
    for slot, share in enumerate(foreign):
        found["spec"]["rules"][1]["backendRefs"][slot]["weight"] = share
    found["metadata"]["managedFields"] = [
        {"manager": "argocd", "time": "2026-11-21T10:00:00Z", "fieldsV1": {"f:spec": {"f:rules": {}}}},
        {"manager": "gateway", "time": "2026-11-21T10:00:01Z", "fieldsV1": {"f:status": {}}, "subresource": "status"},
    ]
    cluster.put(HTTP_ROUTE, found)
    cluster.watch(HTTP_ROUTE, "reply")
    state = router(cluster).observe(routing(25))
    assert (state.matches, state.weight, state.writer) == (False, weight, "argocd")
    assert (await router(cluster).apply(routing(25))).matches
    assert weights(cluster) == [75, 25]


async def test_a_changed_config_map_of_a_backend_is_corrected(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    found = cluster.at(CONFIG_MAP, "reply-blue")
    found["data"].update(version="reply-v8", digest="sha256:8")
    cluster.put(CONFIG_MAP, found)
    cluster.watch(CONFIG_MAP, "reply-blue")
    state = router(cluster).observe(at_rest())
    assert not state.matches
    assert "sha256:8" in state.exposed
    assert (await router(cluster).apply(at_rest())).matches
    assert backend(cluster, "blue")[0] == "reply-v7"


@pytest.mark.parametrize("kill", [KillSwitch.STABLE, KillSwitch.LEGACY])
async def test_both_kill_switches_mean_stable(cluster: MemoryCluster, kill: KillSwitch) -> None:
    await router(cluster).apply(routing(50))
    state = await router(cluster).apply(routing(50, revision=2, kill=kill))
    assert (state.matches, state.weight, weights(cluster)) == (True, 0, [100, 0])


async def test_settings_are_kept_for_a_digest_that_comes_without_them(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(100))
    bare = type(V8)(V8.version, V8.digest)
    assert (await router(cluster).apply(at_rest(revision=2, stable=bare, slot=1))).stable == V8
    payload = json.loads(cluster.at(CONFIG_MAP, "reply-green")["data"]["payload"])
    assert payload == {"compiled": "reply-v8-compiled", "model": "openai/gpt@8", "seed": 43, "temperature": "0.2"}
