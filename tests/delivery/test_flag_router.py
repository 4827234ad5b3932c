"""A flag in a ConfigMap as a router: made, seen, fenced, refused and corrected."""

import json
from typing import Any

import pytest

from headgate.api.rollout import KillSwitch
from headgate.cluster.objects import CONFIG_MAP, Conflict, Json, JsonValue, Refused
from headgate.delivery import flagd
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.router import Router
from headgate.engine.routing import ArmVersion
from tests.delivery.memory_cluster import MemoryCluster
from tests.delivery.releases import FLAG, FLAG_DELIVERY, V7, V8, V9, at_rest, config_map, document, router, routing

OTHERS: dict[str, Any] = {"banner": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"}}


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster()


def edited(cluster: MemoryCluster, **changes: JsonValue) -> None:
    """Somebody edits headgate's flag, and the watch tells."""
    found = cluster.at(CONFIG_MAP, "flags")
    flags = document(found)
    flags["flags"]["reply"].update(changes)
    found["data"] = {"flags.json": json.dumps(flags)}
    cluster.put(CONFIG_MAP, found)
    cluster.watch(CONFIG_MAP, "flags")


async def test_a_missing_document_is_created_with_the_watch_label_and_no_owner(cluster: MemoryCluster) -> None:
    state = await router(cluster).apply(at_rest(revision=3))
    made = cluster.at(CONFIG_MAP, "flags")
    assert made["metadata"]["labels"] == {"headgate.dev/watch": "true"}
    assert "ownerReferences" not in str(made)
    assert document(made)["flags"]["reply"]["defaultVariant"] == "stable"
    assert (state.matches, state.weight, state.shadow, state.revision, state.problem) == (True, 0, 0, 3, None)
    assert (state.stable, set(state.exposed)) == (V7, {"sha256:7"})
    assert cluster.requests == [("get", "ConfigMap", "flags"), ("create", "ConfigMap", "flags")]


async def test_a_weight_costs_one_patch_and_what_matches_costs_nothing(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    cluster.requests.clear()
    state = await router(cluster).apply(routing(25, revision=2))
    assert (state.matches, state.weight, set(state.exposed)) == (True, 25, {"sha256:7", "sha256:8"})
    await router(cluster).apply(routing(25, revision=2))
    await router(cluster).apply(routing(25, revision=3))
    assert router(cluster).observe(routing(25, revision=3)).matches
    assert cluster.requests == [("patch", "ConfigMap", "flags")]


async def test_people_s_own_flags_and_labels_stay(cluster: MemoryCluster) -> None:
    text = json.dumps({"flags": OTHERS, "metadata": {"team": "x"}}, indent=3)
    cluster.put(CONFIG_MAP, config_map(text, labels={"team": "x"}, annotations={"a": "b"}))
    await router(cluster).apply(routing(10))
    found = cluster.at(CONFIG_MAP, "flags")
    assert found["metadata"]["labels"] == {"team": "x", "headgate.dev/watch": "true"}
    assert found["metadata"]["annotations"] == {"a": "b"}
    assert document(found)["flags"]["banner"] == OTHERS["banner"]
    assert str(found["data"]["flags.json"]).startswith(text[: text.index('"banner"')])


async def test_a_version_without_settings_keeps_those_that_are_shown(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50))
    bare = {
        digest: ArmVersion(version, digest) for version, digest in (("reply-v7", "sha256:7"), ("reply-v8", "sha256:8"))
    }
    assert router(cluster).observe(routing(50, stable=bare["sha256:7"], candidate=bare["sha256:8"])).matches
    state = await router(cluster).apply(at_rest(revision=2, stable=bare["sha256:8"]))
    assert state.matches
    assert state.stable == V8


async def test_a_higher_revision_is_never_overwritten(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest(revision=7))
    cluster.requests.clear()
    with pytest.raises(Fenced) as fenced:
        await router(cluster).apply(routing(50, revision=6))
    assert fenced.value.revision == 7
    assert cluster.requests == []
    assert not router(cluster).observe(at_rest(revision=6)).matches


async def test_a_way_back_leaves_its_revision_where_the_weight_never_arrived(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest(revision=5))
    held_up, stale = cluster.peer(), routing(10, revision=6)
    await router(held_up).refresh()
    await router(cluster).apply(at_rest(revision=7))
    with pytest.raises(Fenced):
        await router(held_up).apply(stale)
    assert router(cluster).observe(at_rest(revision=7)).weight == 0


async def test_the_next_transition_at_rest_is_no_write(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest(revision=5))
    cluster.requests.clear()
    assert (await router(cluster).apply(routing(0, revision=6, attempt=1))).matches
    assert cluster.requests == []


async def test_after_a_conflict_the_document_is_read_once_and_the_caller_told(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())

    def foreign() -> None:
        found = cluster.at(CONFIG_MAP, "flags")
        cluster.put(CONFIG_MAP, {**found, "data": {**found["data"], "other": "x"}})

    cluster.before_write = foreign
    cluster.requests.clear()
    with pytest.raises(Conflict):
        await router(cluster).apply(routing(10, revision=2))
    assert [verb for verb, _, _ in cluster.requests] == ["patch", "get"]
    assert (await router(cluster).apply(routing(10, revision=2))).matches
    assert cluster.at(CONFIG_MAP, "flags")["data"]["other"] == "x"


async def test_a_conflict_with_a_later_decision_says_so(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    await router(cluster.peer()).apply(at_rest(revision=9, stable=V9))
    with pytest.raises(Fenced):
        await router(cluster).apply(routing(10, revision=2))
    assert router(cluster).observe(routing(10, revision=2)).revision == 9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("flags: {}", "ConfigMap flags, key flags.json is no JSON"),
        ("[]", "is no JSON object"),
        ('{"flags": []}', "holds its flags as a list"),
        (
            '{"flags": {"reply": {"state": "ENABLED", "variants": {"a": true}}}}',
            "flag reply is there and not headgate's",
        ),
        ('{"flags": {"reply": null, "reply": {"state": "ENABLED"}}}', "flag reply is there"),
    ],
)
async def test_a_document_that_is_not_ours_to_write_is_refused(cluster: MemoryCluster, text: str, why: str) -> None:
    cluster.put(CONFIG_MAP, config_map(text))
    cluster.watch(CONFIG_MAP, "flags")
    assert why in (router(cluster).observe(at_rest()).problem or "")
    with pytest.raises(Unusable, match=why):
        await router(cluster).apply(at_rest())
    assert cluster.writes == []


async def test_another_living_rollout_s_flag_is_refused_and_a_gone_one_s_taken(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50, revision=40, rollout="other"))
    with pytest.raises(Unusable, match="belongs to Rollout other"):
        await router(cluster).apply(at_rest(revision=2))
    assert (await router(cluster, FLAG_DELIVERY, "other").apply(at_rest(revision=2))).matches


async def test_a_rise_is_refused_where_flagd_would_drop_the_document_and_a_fall_is_not(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10))
    found = cluster.at(CONFIG_MAP, "flags")
    broken = document(found)
    broken["flags"]["theirs"] = {"variants": {}}
    cluster.put(CONFIG_MAP, {**found, "data": {"flags.json": json.dumps(broken)}})
    cluster.watch(CONFIG_MAP, "flags")
    assert "'theirs' whose state" in (router(cluster).observe(routing(25, revision=2)).problem or "")
    with pytest.raises(Unusable, match="'theirs' whose state"):
        await router(cluster).apply(routing(25, revision=2))
    assert (await router(cluster).apply(at_rest(revision=3))).matches


async def test_a_rise_is_refused_above_900_kib_and_a_fall_is_not(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10))
    found = cluster.at(CONFIG_MAP, "flags")
    cluster.put(CONFIG_MAP, {**found, "data": {**found["data"], "big": "x" * 900 * 1024}})
    cluster.watch(CONFIG_MAP, "flags")
    assert router(cluster).observe(routing(10)).problem is None
    with pytest.raises(Unusable, match="no weight rises above 900 KiB of data, and this is 90"):
        await router(cluster).apply(routing(25, revision=2))
    assert (await router(cluster).apply(at_rest(revision=3))).matches


DRIFT = [
    ({"defaultVariant": "candidate", "targeting": {}}, 100, {"sha256:8"}),
    (
        {"targeting": {"if": [{"in": [{"var": "companyId"}, ["acme"]]}, "candidate", "stable"]}},
        100,
        {"sha256:7", "sha256:8"},
    ),
    ({"targeting": {"if": [{"!": [{"var": "companyId"}]}, "candidate", "stable"]}}, 100, {"sha256:7", "sha256:8"}),
    ({"targeting": "candidate"}, 100, {"sha256:8"}),
    ({"targeting": {}}, 0, {"sha256:7"}),
    ({"state": "DISABLED"}, 0, set()),
    (
        {"variants": {"stable": {"version": "v", "digest": "sha256:x", "arm": "stable"}}, "targeting": {}},
        100,
        {"sha256:x"},
    ),
    ({"metadata": {}}, 25, {"sha256:7", "sha256:8"}),
    (
        {"targeting": {"fractional": [{"cat": ["reply", {"var": "companyId"}]}, ["candidate", 3], ["stable", 1]]}},
        75,
        {"sha256:7", "sha256:8"},
    ),
    ({"description": "mine"}, 25, {"sha256:7", "sha256:8"}),
]


@pytest.mark.parametrize(("changes", "weight", "exposed"), DRIFT)
async def test_a_foreign_edit_is_seen_as_exposing_what_it_can_and_corrected(
    cluster: MemoryCluster, changes: dict[str, Any], weight: int, exposed: set[str]
) -> None:
    await router(cluster).apply(routing(25))
    edited(cluster, **changes)
    state = router(cluster).observe(routing(25))
    assert (state.matches, state.weight, set(state.exposed), state.problem) == (False, weight, exposed, None)
    assert (await router(cluster).apply(routing(25))).matches
    assert document(cluster.at(CONFIG_MAP, "flags"))["flags"]["reply"]["state"] == "ENABLED"


async def test_the_other_writer_is_named(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(25))
    edited(cluster, targeting={})
    found = cluster.at(CONFIG_MAP, "flags")

    def entry(manager: str, time: str, fields: Json, **more: str) -> Json:
        return {"manager": manager, "time": f"2026-11-21T10:00:{time}Z", "fieldsV1": fields, **more}

    key: Json = {"f:data": {"f:flags.json": {}}}
    managed: JsonValue = [
        entry("headgate", "09", key),
        entry("argocd-controller", "05", key),
        entry("kubectl-edit", "07", key),
        entry("labeller", "08", {"f:metadata": {"f:labels": {}}}),
        entry("status-writer", "09", key, subresource="status"),
    ]
    cluster.put(CONFIG_MAP, {**found, "metadata": {**found["metadata"], "managedFields": managed}})
    cluster.watch(CONFIG_MAP, "flags")
    assert router(cluster).observe(routing(25)).writer == "kubectl-edit"


async def test_the_kill_switch_is_shown_and_nobody_is_exposed(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(100))
    state = await router(cluster).apply(routing(100, revision=2, kill=KillSwitch.LEGACY))
    assert (state.matches, state.weight, state.exposed) == (True, 0, frozenset())
    assert document(cluster.at(CONFIG_MAP, "flags"))["flags"]["reply"]["state"] == "ENABLED"


async def test_what_was_never_seen_is_read_by_refresh(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(25))
    other = cluster.peer()
    looking: Router = router(other)
    assert looking.observe(routing(25)).weight is None
    await looking.refresh()
    assert looking.observe(routing(25)).matches


async def test_an_immutable_config_map_is_refused_by_name(cluster: MemoryCluster) -> None:
    cluster.put(CONFIG_MAP, {**config_map("{}"), "immutable": True})
    with pytest.raises(Unusable, match="ConfigMap flags is immutable"):
        await router(cluster).apply(at_rest())


async def test_a_server_s_refusal_reaches_the_caller(cluster: MemoryCluster) -> None:
    cluster.put(CONFIG_MAP, config_map('{"flags": {}}'))
    cluster.refuse = lambda _body: Refused("too large")
    with pytest.raises(Refused):
        await router(cluster).apply(at_rest())


def test_a_weight_needs_a_candidate() -> None:
    with pytest.raises(ValueError, match="needs a candidate"):
        flagd.flag(routing(10, candidate=None), FLAG, {})
