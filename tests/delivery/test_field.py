"""A weight in a field of any object: one field and one annotation, fenced; and what KServe makes of it."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from headgate.api.rollout import Delivery
from headgate.api.target import FieldDelivery, ObjectReference
from headgate.cluster.objects import ClusterError, Conflict, Json, JsonValue, Kind, Refused, Unavailable
from headgate.delivery.claims import claims
from headgate.delivery.field import FieldRouter
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.router import Router, routers
from tests.delivery.kserve_controller import PATH
from tests.delivery.memory_cluster import Document, MemoryCluster
from tests.delivery.releases import V7, V8, at_rest, routing

SERVICE = Kind("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
RANKER = ObjectReference(api_version="serving.kserve.io/v1beta1", kind="InferenceService", name="ranker")
DELIVERY = Delivery(field=FieldDelivery(path=PATH, target=RANKER))


def service(**predictor: object) -> Json:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "ranker", "uid": "object-1", "annotations": {"team": "ranking"}},
        "spec": {"predictor": {"minReplicas": 1, **predictor}},  # type: ignore[dict-item]  # JSON, as it is written
    }


def router(cluster: MemoryCluster, delivery: Delivery = DELIVERY, *gone: str) -> Router:
    (made,) = routers(
        "ai",
        [delivery],
        cluster,
        cluster.documents,
        lambda _router, rollout, _uid, _exposes: rollout not in gone,
        lambda _target, _path: SERVICE,
    ).values()
    return made


def ranker(cluster: MemoryCluster) -> Document:
    return cluster.at(SERVICE, "ranker")


def marks(obj: Document) -> Any:  # noqa: ANN401 - JSON
    return json.loads(obj["metadata"]["annotations"]["headgate.dev/reply"])[PATH]


@pytest.fixture
def cluster() -> MemoryCluster:
    cluster = MemoryCluster()
    cluster.put(SERVICE, service())
    cluster.watch(SERVICE, "ranker")
    return cluster


async def test_it_writes_one_field_and_one_annotation(cluster: MemoryCluster) -> None:
    before = ranker(cluster)
    state = await router(cluster).apply(routing(10, revision=3))
    after = ranker(cluster)
    assert (state.matches, state.weight) == (True, 10)
    assert state.exposed == {V7.digest, V8.digest}
    assert after["spec"]["predictor"].pop("canaryTrafficPercent") == 10
    assert marks(after)["revision"] == 3
    assert after["metadata"]["annotations"].pop("headgate.dev/reply")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"] == {"team": "ranking"}


async def test_writing_it_twice_is_writing_it_once(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10))
    await router(cluster).apply(routing(10))
    assert len(cluster.writes) == 1


async def test_a_field_that_is_not_there_is_not_at_rest(cluster: MemoryCluster) -> None:
    """For KServe, no weight means that an edit reaches everybody."""
    assert not router(cluster).observe(at_rest()).matches
    await router(cluster).apply(at_rest())
    assert ranker(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == 0
    assert router(cluster).observe(at_rest()).exposed == {V7.digest}


async def test_what_is_missing_above_the_field_is_made() -> None:
    cluster = MemoryCluster()
    cluster.put(SERVICE, {**service(), "spec": {}})
    cluster.watch(SERVICE, "ranker")
    await router(cluster).apply(routing(10))
    assert ranker(cluster)["spec"] == {"predictor": {"canaryTrafficPercent": 10}}


async def test_a_text_above_the_field_is_left_alone() -> None:
    cluster = MemoryCluster()
    cluster.put(SERVICE, {**service(), "spec": {"predictor": "none"}})
    cluster.watch(SERVICE, "ranker")
    with pytest.raises(Unusable, match=r"spec\.predictor holds no object"):
        await router(cluster).apply(routing(10))
    assert cluster.writes == []


async def test_a_way_back_waits_for_nobody_who_writes_the_rest(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10, revision=3))
    cluster.put(SERVICE, {**ranker(cluster), "status": {"replicas": 3}})
    await router(cluster).apply(at_rest(revision=4))
    after = ranker(cluster)
    assert after["spec"]["predictor"]["canaryTrafficPercent"] == 0
    assert after["status"] == {"replicas": 3}


async def test_a_share_is_not_raised_over_what_was_not_seen(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10, revision=3))
    unseen = ranker(cluster)
    unseen["spec"]["predictor"]["model"] = "another"
    cluster.put(SERVICE, unseen)
    with pytest.raises(Conflict):
        await router(cluster).apply(routing(50, revision=4))
    assert ranker(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == 10


async def test_a_way_back_is_still_fenced_by_marks_that_were_not_seen(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10, revision=3))
    newer = MemoryCluster()
    newer.put(SERVICE, ranker(cluster))
    newer.watch(SERVICE, "ranker")
    await router(newer).apply(routing(50, revision=9))
    cluster.put(SERVICE, ranker(newer))
    with pytest.raises(Fenced):
        await router(cluster).apply(at_rest(revision=4))


async def test_a_higher_revision_is_not_overwritten(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50, revision=5))
    with pytest.raises(Fenced):
        await router(cluster).apply(routing(10, revision=4))
    assert ranker(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == 50


async def test_a_late_writer_is_fenced_by_what_it_has_not_seen(cluster: MemoryCluster) -> None:
    late = cluster.peer()
    late.watch(SERVICE, "ranker")
    await router(cluster).apply(at_rest(revision=5))
    with pytest.raises(Fenced):
        await router(late).apply(routing(50, revision=4))
    assert ranker(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == 0


async def test_a_foreign_edit_that_comes_between_survives(cluster: MemoryCluster) -> None:
    def interfere() -> None:
        cluster.put(SERVICE, {**ranker(cluster), "spec": {"predictor": {"minReplicas": 9}}})

    cluster.before_write = interfere
    for _ in range(2):
        try:
            await router(cluster).apply(routing(10))
        except Exception as error:  # noqa: BLE001 - the first try meets the edit
            assert "changed" in str(error)  # noqa: PT017
    assert ranker(cluster)["spec"]["predictor"] == {"minReplicas": 9, "canaryTrafficPercent": 10}


async def test_a_foreign_weight_is_seen_with_its_share(cluster: MemoryCluster) -> None:
    await router(cluster).apply(at_rest())
    cluster.put(SERVICE, {**ranker(cluster), "spec": {"predictor": {"canaryTrafficPercent": 80}}})
    cluster.watch(SERVICE, "ranker")
    state = router(cluster).observe(at_rest())
    assert (state.matches, state.weight) == (False, 80)


async def test_marks_that_were_copied_to_another_object_say_nothing(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50, revision=9))
    copied = ranker(cluster)
    copied["metadata"]["uid"] = "object-2"
    cluster.put(SERVICE, copied)
    cluster.watch(SERVICE, "ranker")
    state = router(cluster).observe(at_rest())
    assert (state.revision, state.stable) == (None, None)


async def test_a_living_rollouts_field_is_its_own(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(10, rollout="older"))
    with pytest.raises(Unusable, match="belongs to Rollout older"):
        await router(cluster).apply(routing(50))
    assert (await router(cluster, DELIVERY, "older").apply(routing(50))).weight == 50


async def test_the_servers_refusal_is_told_as_it_is(cluster: MemoryCluster) -> None:
    around = NamespaceObjects("ai", _Refusing(), cluster.documents)
    refusing = FieldRouter(
        "r", FieldDelivery(path=PATH, target=RANKER), around, lambda _name, _uid, _exposes: True, lambda _t, _p: SERVICE
    )
    with pytest.raises(Refused, match="at most 50"):
        await refusing.apply(routing(100))


async def test_a_field_left_behind_in_mid_attempt_is_an_orphan(cluster: MemoryCluster) -> None:
    await router(cluster).apply(routing(50, revision=4))
    (claim,) = claims(SERVICE, cluster.documents.seen(SERVICE, "ai", "ranker") or {})
    assert (claim.rollout, claim.exposing, claim.revision) == ("reply", True, 4)
    await router(cluster, claim.delivery, "reply").apply(claim.at_rest("ai"))
    assert ranker(cluster)["spec"]["predictor"]["canaryTrafficPercent"] == 0


async def test_an_object_that_is_gone_exposes_nobody_and_is_not_asked_for() -> None:
    cluster = MemoryCluster()
    assert router(cluster).observe(at_rest()).absent
    with pytest.raises(Unusable, match="InferenceService ranker is not there"):
        await router(cluster).apply(at_rest())
    assert cluster.requests == []


def fields(cluster: MemoryCluster, count: int) -> list[Router]:
    """So many weights in the ranker."""
    paths = [f"spec.weights.w{number}" for number in range(count)]
    deliveries = [Delivery(field=FieldDelivery(path=path, target=RANKER)) for path in paths]
    return list(routers("ai", deliveries, cluster, cluster.documents, kind_of=lambda _t, _p: SERVICE).values())


async def test_each_weight_of_one_object_costs_one_write(cluster: MemoryCluster) -> None:
    for wanted in (routing(10, revision=1), at_rest(revision=2)):
        cluster.requests.clear()
        states = await asyncio.gather(*(each.apply(wanted) for each in fields(cluster, 8)))
        assert all(state.matches for state in states)
        assert cluster.requests == [("patch", "InferenceService", "ranker")] * 8
        assert ranker(cluster)["spec"]["weights"] == {f"w{number}": wanted.weight for number in range(8)}


async def test_a_weight_that_is_refused_holds_up_no_other_of_its_object() -> None:
    cluster = _Failing(lambda path: Refused("w3 is frozen") if path.endswith("w3") else None)
    cluster.put(SERVICE, {**service(), "spec": {"weights": {}}})
    cluster.watch(SERVICE, "ranker")
    answers = await asyncio.gather(*(each.apply(routing(10)) for each in fields(cluster, 8)), return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if isinstance(answer, Refused)] == [3]
    assert len(ranker(cluster)["spec"]["weights"]) == 7


async def test_an_object_that_does_not_answer_is_waited_for_once() -> None:
    cluster = _Failing(lambda _path: Unavailable("no answer"))
    cluster.put(SERVICE, {**service(), "spec": {"weights": {}}})
    cluster.watch(SERVICE, "ranker")
    held = fields(cluster, 8)
    answers = await asyncio.gather(*(each.apply(routing(10)) for each in held), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert cluster.failed == 1
    cluster.fault = lambda _path: None
    await asyncio.gather(*(each.apply(routing(10)) for each in held))
    assert len(ranker(cluster)["spec"]["weights"]) == 8


def test_a_kind_that_is_not_allowed_says_so() -> None:
    cluster = MemoryCluster()
    (made,) = routers("ai", [DELIVERY], cluster, cluster.documents).values()
    assert made.observe(at_rest()).problem == "no targets are configured"


class _Refusing(MemoryCluster):
    async def json_patch(self, *_: object, **__: object) -> Json:
        raise Refused("spec.predictor.canaryTrafficPercent: should be at most 50")


class _Failing(MemoryCluster):
    """Fails for what writes into certain paths, after a moment."""

    def __init__(self, fault: Callable[[str], ClusterError | None]) -> None:
        super().__init__()
        self.fault = fault
        self.failed = 0

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        await asyncio.sleep(0)
        for each in operations:
            if each["op"] != "test" and (error := self.fault(str(each["path"]))) is not None:
                self.failed += 1
                raise error
        return await super().json_patch(kind, namespace, name, operations)
