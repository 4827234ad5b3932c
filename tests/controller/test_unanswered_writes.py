"""One kind of object whose writes fail with 500, as a webhook that is down has it: the rest goes on, and it is told."""

import json
from datetime import timedelta
from typing import Any

import pytest

from headgate.api.rollout_status import Phase
from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    FEATURE_FLAG,
    ROLLOUT,
    ClusterError,
    Kind,
    Oversized,
    Unavailable,
)
from tests.controller import documents
from tests.controller.house import REPLY, House
from tests.controller.ranker import IN_FIELD, Ranker, target

WORDS = 'Internal error occurred: failed calling webhook "policy.example.com": connection refused'
FLAG = {"flag": {"name": "reply", "key": "companyId", "featureFlag": {"name": "flags"}}}
AGAIN = documents.rollout("v2")["metadata"] | {"uid": "younger", "creationTimestamp": "2026-11-21T13:00:00Z"}


def fails_for(house: House, *kinds: Kind) -> None:
    house.cluster.fault = lambda kind, _subresource: Unavailable(WORDS) if kind in kinds else None


def is_mended(house: House) -> None:
    house.cluster.fault = lambda _kind, _subresource: None


def condition(house: House, kind: str) -> tuple[str, str, str]:
    found = next(each for each in house.status["conditions"] if each["type"] == kind)
    return found["status"], found["reason"], found["message"]


def on_record(house: House) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(house.cluster.at(CONFIG_MAP, "reply-record")["data"]["record.json"])
    return record


@pytest.fixture
async def prompts() -> House:
    """v2 is at 10 %, by a flag in a FeatureFlag."""
    house = House()
    await house.versions("v1", "v2")
    for version in ("v1", "v2"):
        house.put(ROLLOUT, documents.rollout(version, delivery=[FLAG]))
        await house.look(1)
    assert house.status["weight"] == 10
    return house


@pytest.fixture
async def ranker() -> Ranker:
    """m2 is at 10 %, by a field of KServe's and by a flag."""
    ranker = Ranker(delivery=[*IN_FIELD, FLAG], steps=[{"weight": 10, "holdFor": "1h"}, {"weight": 100}])
    await ranker.begin()
    ranker.edit("m2")
    await ranker.goes_on(1, times=2)
    assert ranker.weight == 10
    return ranker


async def test_a_flag_that_cannot_be_written_keeps_no_prompt_from_being_put_back(prompts: House) -> None:
    fails_for(prompts, FEATURE_FLAG)
    prompts.annotate(abort="1")
    await prompts.look(1)
    assert prompts.rollout["spec"]["prompt"]["version"] == "v1"
    assert [each["version"] for each in on_record(prompts)["rejected"]] == ["v2"]
    assert prompts.status["phase"] == Phase.ROLLING_BACK
    is_mended(prompts)
    await prompts.look(10)
    assert prompts.status["phase"] == Phase.ROLLED_BACK
    assert '"v2"' not in json.dumps(prompts.cluster.at(FEATURE_FLAG, "flags"))


async def test_a_flag_that_cannot_be_written_keeps_no_target_that_everybody_reads_from_being_put_back() -> None:
    ranker = Ranker(delivery=[FLAG], target=target(exposure="Immediate"))
    ranker.reconcile()
    ranker.apply()
    await ranker.goes_on(1, times=2)
    ranker.edit("m2")
    await ranker.goes_on(1)
    fails_for(ranker.house, FEATURE_FLAG)
    await ranker.is_taken_back()
    assert ranker.model == "m1"


async def test_a_router_that_is_not_answered_for_half_a_minute_is_told_in_the_servers_words(prompts: House) -> None:
    fails_for(prompts, FEATURE_FLAG)
    prompts.annotate(abort="1")
    for _ in range(25):
        await prompts.look(1)
    assert condition(prompts, "Stalled")[0] == "False"
    for _ in range(10):
        await prompts.look(1)
    assert condition(prompts, "Stalled") == ("True", "WriteRefused", f"featureFlag/flags#reply: {WORDS}")
    assert condition(prompts, "Delivered") == ("False", "Undelivered", f"featureFlag/flags#reply: {WORDS}")
    prompts.cluster.requests.clear()
    for _ in range(60):
        await prompts.look(10)
    assert {name for _, _, name in prompts.cluster.requests} == {"flags"}
    is_mended(prompts)
    await prompts.look(10)
    assert prompts.status["phase"] == Phase.ROLLED_BACK


async def test_a_record_that_cannot_be_written_keeps_nothing_from_being_put_back_and_is_told(ranker: Ranker) -> None:
    house = ranker.house
    fails_for(house, CONFIG_MAP)
    await ranker.is_taken_back()
    ranker.reconcile()
    await house.look(1)
    assert (ranker.model, ranker.weight) == ("m1", 0)
    assert ranker.status["phase"] == Phase.ROLLING_BACK
    for _ in range(4):
        await house.look(10)
    assert condition(house, "Stalled") == ("True", "RecordRefused", WORDS)
    is_mended(house)
    await house.look(30)
    assert ranker.status["phase"] == Phase.ROLLED_BACK


async def test_a_weight_that_somebody_raises_is_put_back_while_the_other_router_is_down(ranker: Ranker) -> None:
    fails_for(ranker.house, FEATURE_FLAG)
    await ranker.is_taken_back()
    assert ranker.weight == 0
    ranker.edit(canaryTrafficPercent=50)
    await ranker.house.look(1)
    assert ranker.weight == 0


async def test_a_weight_that_somebody_raises_is_put_back_while_no_snapshot_can_be_taken() -> None:
    ranker = Ranker()
    await ranker.begin()
    fails_for(ranker.house, CONTROLLER_REVISION)
    ranker.edit("m2")
    for _ in range(5):
        await ranker.house.look(10)
    assert condition(ranker.house, "Stalled") == ("True", "SnapshotRefused", WORDS)
    for _ in range(6):
        ranker.edit(canaryTrafficPercent=50)
        await ranker.house.look(301)
        assert ranker.weight != 50
    is_mended(ranker.house)
    await ranker.house.look(30)
    assert ranker.status["attempt"]["candidate"]["digest"] != ranker.status["stable"]["digest"]


async def test_a_first_version_whose_snapshot_is_not_taken_is_told_in_the_servers_words() -> None:
    ranker = Ranker()
    fails_for(ranker.house, CONTROLLER_REVISION)
    ranker.apply()
    for _ in range(5):
        await ranker.house.look(10)
    assert condition(ranker.house, "Stalled") == ("True", "SnapshotRefused", WORDS)
    assert "stable" not in ranker.status
    ranker.house.cluster.requests.clear()
    for _ in range(60):
        await ranker.house.look(1)
    refused = [kind for outcome, kind, _ in ranker.house.cluster.requests if outcome == "refused"]
    assert 1 <= len(refused) <= 5


async def test_a_snapshot_that_is_too_large_is_told_at_once_by_the_fields_that_are() -> None:
    ranker = Ranker()
    await ranker.begin()
    words = "POST .../controllerrevisions: etcdserver: request is too large"
    ranker.house.cluster.fault = lambda kind, _subresource: Oversized(words) if kind == CONTROLLER_REVISION else None
    ranker.edit("m2")
    await ranker.house.look(1)
    status, reason, message = condition(ranker.house, "Stalled")
    assert (status, reason) == ("True", "SnapshotRefused")
    assert message.startswith("what spec.predictor.model hold is larger than the API server keeps in Controll")
    assert words in message
    assert ranker.weight == 0
    is_mended(ranker.house)
    await ranker.house.look(301)
    assert condition(ranker.house, "Stalled")[0] == "False"
    assert ranker.status["attempt"]["candidate"]["digest"] != ranker.status["stable"]["digest"]


async def test_an_api_server_that_was_away_for_a_moment_stalls_nobody(ranker: Ranker) -> None:
    reasons: list[str] = []

    def away(_kind: Kind, _subresource: str) -> ClusterError:
        return Unavailable("connection refused")

    def notes_the_reason(_kind: Kind, _subresource: str) -> None:
        reasons.append(condition(ranker.house, "Stalled")[1])

    ranker.house.cluster.fault = away
    ranker.house.annotate(abort="1")
    for _ in range(20):
        await ranker.house.look(1)
    ranker.house.cluster.fault = notes_the_reason
    await ranker.house.look(10)
    ranker.reconcile()
    await ranker.house.look(1)
    assert ranker.status["phase"] == Phase.ROLLED_BACK
    assert set(reasons) <= {"NotStalled", "RolledBack"}


def _is_deleted(house: House) -> None:
    raw = house.rollout
    view = house.store.lost_rollout(REPLY, int(raw["metadata"]["resourceVersion"]))
    assert view is not None
    del house.cluster.objects[ROLLOUT, "ai", "reply"]
    house.reconcile.depart(view)


def _is_made_again(house: House) -> None:
    house.put(ROLLOUT, {**documents.rollout("v2", delivery=[FLAG]), "metadata": AGAIN, "status": {}})


async def test_a_rejection_is_on_record_while_a_router_is_down_and_outlives_restart_and_rollout(prompts: House) -> None:
    fails_for(prompts, FEATURE_FLAG)
    prompts.annotate(abort="1")
    await prompts.look(1)
    del prompts.cluster.objects[ROLLOUT, "ai", "reply"]
    later = House()
    later.time = prompts.time + timedelta(minutes=1)
    later.take_over(prompts)
    _is_made_again(later)
    for _ in range(4):
        await later.look(10)
    assert (later.status["weight"], later.status["stable"]["version"]) == (0, "v1")
    assert [each["version"] for each in later.status["rejected"]] == ["v2"]


async def test_a_deleted_rollout_whose_router_is_down_lets_the_next_of_its_name_go_on(prompts: House) -> None:
    fails_for(prompts, FEATURE_FLAG)
    _is_deleted(prompts)
    await prompts.look(1)
    _is_made_again(prompts)
    await prompts.look(1)
    assert prompts.status["stable"]["version"] == "v1"


async def test_a_deleted_rollout_whose_record_cannot_be_written_keeps_the_next_of_its_name_waiting(
    prompts: House,
) -> None:
    fails_for(prompts, FEATURE_FLAG, CONFIG_MAP)
    _is_deleted(prompts)
    await prompts.look(1)
    _is_made_again(prompts)
    for _ in range(6):
        await prompts.look(10)
    assert prompts.status == {}
    is_mended(prompts)
    await prompts.look(10)
    assert prompts.status["stable"]["version"] == "v1"


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_rollout_deleted_while_its_way_back_is_not_committed_comes_back_and_stays_rejected(
    prompts: House, failures: int
) -> None:
    left = [failures]

    def fails(kind: Kind, subresource: str) -> ClusterError | None:
        if (kind, subresource) != (ROLLOUT, "status") or not left[0]:
            return None
        left[0] -= 1
        return Unavailable(WORDS)

    prompts.cluster.fault = fails
    prompts.annotate(abort="1")
    for _ in range(failures):
        await prompts.reconcile.look(REPLY)
        prompts.time += timedelta(seconds=2)
    assert not left[0]
    prompts.delete()
    await prompts.look(1)
    assert '"v2"' not in json.dumps(prompts.cluster.at(FEATURE_FLAG, "flags"))
    assert [each["version"] for each in on_record(prompts)["rejected"]] == ["v2"]
