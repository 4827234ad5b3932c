"""What must hold when a write fails between two others, or somebody else writes first."""

from typing import Any

import pytest

from headgate.api.rollout_status import Phase
from headgate.cluster.objects import (
    CONFIG_MAP,
    EVENT,
    ROLLOUT,
    ClusterError,
    Conflict,
    Forbidden,
    Json,
    Kind,
    Refused,
    Unavailable,
)
from tests.controller import documents
from tests.controller.house import REPLY, House

ABORT = "headgate.dev/abort"


@pytest.fixture
async def house() -> House:
    """v1 is stable, v2 is in its first step at 10 %."""
    house = House()
    await house.versions("v1", "v2", "v3")
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look()
    house.put(ROLLOUT, documents.rollout("v2"))
    await house.look(1)
    assert house.status["weight"] == 10
    return house


def shows_nobody_v2(house: House) -> bool:
    return '"v2"' not in house.flags()


async def test_a_breach_is_reverted_and_the_spec_restored(house: House) -> None:
    house.sources.values["v2"] = 9
    await house.look(2)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert house.rollout["spec"]["prompt"]["version"] == "v1"
    assert shows_nobody_v2(house)


@pytest.mark.parametrize("error", [Unavailable("no answer"), Refused("a webhook says no")])
async def test_a_status_that_cannot_be_written_keeps_nobody_on_the_candidate(house: House, error: ClusterError) -> None:
    house.cluster.fault = lambda kind, _subresource: error if kind == ROLLOUT else None
    house.sources.values["v2"] = 9
    await house.look(2)
    assert house.status["phase"] == Phase.PROGRESSING
    assert shows_nobody_v2(house)
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert "quality" in house.status["attempt"]["reason"]
    assert house.rollout["spec"]["prompt"]["version"] == "v1"


async def test_a_withdrawal_whose_commit_failed_rejects_nothing(house: House) -> None:
    house.cluster.fault = lambda kind, _subresource: Unavailable("no answer") if kind == ROLLOUT else None
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look(1)
    assert shows_nobody_v2(house)
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(1)
    assert house.status["attempt"]["outcome"] == "Aborted"
    assert house.status["rejected"] == []


async def test_a_conflict_is_decided_again_on_the_same_evidence(house: House) -> None:
    house.sources.values["v2"] = 9
    await house.look(0.5)
    asked = house.sources.asked

    def somebody_annotates() -> None:
        house.sources.values["v2"] = 1
        house.write(ROLLOUT, {**documents.rollout("v2"), "metadata": {"name": "reply", "labels": {"team": "x"}}})

    house.cluster.before_write = somebody_annotates
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert house.sources.asked == asked + 1
    assert house.rollout["metadata"]["labels"] == {"team": "x"}


async def test_a_spec_that_moved_on_is_left_alone_and_its_version_tried_next(house: House) -> None:
    house.sources.values["v2"] = 9
    moved: list[Json] = []

    def v3_is_applied_before_the_restore(kind: Kind, subresource: str) -> None:
        if kind == CONFIG_MAP and not subresource and not moved and house.status["phase"] == Phase.ROLLING_BACK:
            moved.append(house.write(ROLLOUT, documents.rollout("v3")))

    house.cluster.fault = v3_is_applied_before_the_restore
    await house.look(2)
    assert moved
    assert house.rollout["spec"]["prompt"]["version"] == "v3"
    await house.look(1)
    assert house.status["attempt"]["candidate"]["version"] == "v3"
    assert [each["version"] for each in house.status["rejected"]] == ["v2"]


async def _tries_an_answer(house: House) -> None:
    """w1 of another family is in its first step."""
    await house.versions("w1", family="answer")
    house.put(ROLLOUT, documents.rollout("w1", family="answer"))
    await house.look(2)
    assert (house.status["attempt"]["candidate"]["version"], house.status["weight"]) == ("w1", 10)


async def test_a_family_is_restored_with_its_version(house: House) -> None:
    await _tries_an_answer(house)
    house.sources.values["w1"] = 9
    await house.look(2)
    assert house.rollout["spec"]["prompt"] == {"family": "reply", "version": "v1"}
    assert house.status["phase"] == Phase.ROLLED_BACK


async def test_a_family_that_moved_on_keeps_the_whole_spec_from_being_restored(house: House) -> None:
    await _tries_an_answer(house)
    house.sources.values["w1"] = 9
    moved: list[Json] = []

    def another_family_is_applied_before_the_restore(kind: Kind, subresource: str) -> None:
        if kind == CONFIG_MAP and not subresource and not moved and house.status["phase"] == Phase.ROLLING_BACK:
            moved.append(house.write(ROLLOUT, documents.rollout("w1", family="summary")))

    house.cluster.fault = another_family_is_applied_before_the_restore
    await house.look(2)
    assert moved
    assert house.rollout["spec"]["prompt"] == {"family": "summary", "version": "w1"}
    assert '"w1"' not in house.flags()


async def test_a_spec_that_the_server_does_not_let_headgate_restore_is_told_in_its_words(house: House) -> None:
    words = "ValidatingAdmissionPolicy 'frozen' denied request: only the pipeline changes versions"

    def refuses_the_spec(kind: Kind, subresource: str) -> ClusterError | None:
        return Refused(words) if kind == ROLLOUT and not subresource else None

    house.cluster.fault = refuses_the_spec
    house.sources.values["v2"] = 9
    await house.look(2)
    stalled = next(each for each in house.status["conditions"] if each["type"] == "Stalled")
    how = "it is tried again until something else is asked for: change spec.prompt.version from v2 to v1"
    assert (stalled["status"], stalled["reason"], stalled["message"]) == ("True", "RestoreRefused", f"{words}; {how}")
    assert house.status["phase"] == Phase.ROLLING_BACK
    assert shows_nobody_v2(house)
    for _ in range(120):
        await house.look(10)
    assert 5 <= house.cluster.requests.count(("refused", "Rollout", "reply")) <= 15
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(300)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert house.rollout["spec"]["prompt"]["version"] == "v1"


async def test_a_spec_that_a_person_restores_instead_ends_the_way_back_at_once(house: House) -> None:
    house.cluster.fault = lambda kind, subresource: Refused("no") if kind == ROLLOUT and not subresource else None
    house.sources.values["v2"] = 9
    await house.look(2)
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLED_BACK


async def test_a_conflict_of_a_busy_server_leaves_no_rejected_version_in_the_spec(house: House) -> None:
    busy = [Conflict("others write it all the time"), Conflict("still")]
    house.sources.values["v2"] = 9
    house.cluster.fault = lambda kind, subresource: busy.pop() if kind == ROLLOUT and not subresource and busy else None
    await house.look(2)
    assert not busy
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert house.rollout["spec"]["prompt"]["version"] == "v1"


async def test_a_router_that_does_not_answer_is_delivered_to_by_the_next_look(house: House) -> None:
    house.sources.values["v2"] = 9
    house.cluster.fault = lambda kind, _subresource: Unavailable("no answer") if kind == CONFIG_MAP else None
    await house.look(2)
    assert house.status["phase"] == Phase.ROLLING_BACK
    assert not shows_nobody_v2(house)
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(1)
    assert shows_nobody_v2(house)
    assert house.status["phase"] == Phase.ROLLED_BACK


async def test_a_look_at_rest_asks_nothing(house: House) -> None:
    house.sources.values["v2"] = 9
    await house.look(2)
    before = len(house.cluster.requests)
    await house.look(60)
    await house.look(60)
    assert len(house.cluster.requests) == before


async def test_a_deleted_rollout_leaves_its_routers_at_stable_and_its_memory_on_record(house: House) -> None:
    view = house.store.lost_rollout(REPLY, 10**9)
    assert view is not None
    house.reconcile.depart(view)
    await house.look(1)
    assert shows_nobody_v2(house)
    record = house.cluster.at(CONFIG_MAP, "reply-record")["data"]["record.json"]
    assert '"version":"v1"' in record


async def test_who_is_told_to_wait_does_but_a_way_back_does_not(house: House) -> None:
    house.cluster.fault = lambda kind, _subresource: Unavailable("too many requests", 7.0) if kind == ROLLOUT else None
    house.put(ROLLOUT, {**documents.rollout("v2"), "metadata": {"name": "reply", "annotations": {ABORT: "1"}}})
    due = await house.reconcile.look(REPLY)
    assert due is not None
    assert (due - house.time).total_seconds() < 1
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLED_BACK
    house.cluster.fault = lambda kind, _subresource: Unavailable("too many requests", 7.0) if kind == ROLLOUT else None
    house.put(ROLLOUT, documents.rollout("v3"))
    due = await house.reconcile.look(REPLY)
    assert due is not None
    assert (due - house.time).total_seconds() == 7


QUOTA = 'configmaps "reply-record" is forbidden: exceeded quota: few'


def _stalled(house: House) -> dict[str, str]:
    found: dict[str, str] = next(each for each in house.status["conditions"] if each["type"] == "Stalled")
    return found


async def test_a_first_version_whose_record_the_server_does_not_take_is_no_stable_one_and_says_why() -> None:
    house = House()
    await house.versions("v1")
    house.cluster.fault = lambda kind, _subresource: Forbidden(QUOTA) if kind == CONFIG_MAP else None
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look()
    stalled = _stalled(house)
    assert (stalled["status"], stalled["reason"], stalled["message"]) == ("True", "RecordRefused", QUOTA)
    assert "stable" not in house.status
    assert (CONFIG_MAP, "ai", "reply-flags") not in house.cluster.objects
    for _ in range(60):
        await house.look(10)
    assert 4 <= house.cluster.requests.count(("refused", "ConfigMap", "reply-record")) <= 12
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(300)
    assert (house.status["phase"], house.status["stable"]["version"]) == (Phase.IDLE, "v1")
    assert _stalled(house)["status"] == "False"


async def test_a_retry_whose_record_the_server_does_not_take_is_tried_again_ever_later(house: House) -> None:
    house.sources.values["v2"] = 9
    await house.look(2)
    assert house.status["phase"] == Phase.ROLLED_BACK
    house.cluster.fault = lambda kind, _subresource: Forbidden(QUOTA) if kind == CONFIG_MAP else None
    house.annotate(retry="1")
    for _ in range(60):
        await house.look(10)
    assert _stalled(house)["reason"] == "RecordRefused"
    assert [each["version"] for each in house.status["rejected"]] == ["v2"]
    assert 4 <= house.cluster.requests.count(("refused", "ConfigMap", "reply-record")) <= 12
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(300)
    assert house.status["rejected"] == []


async def test_a_promotion_whose_record_the_server_does_not_take_waits_and_is_still_judged() -> None:
    house = House()
    await house.versions("v1", "v2")
    house.put(ROLLOUT, documents.rollout("v1"))
    await house.look()
    house.put(ROLLOUT, documents.rollout("v2", steps=[{"weight": 100}], bakeFor="10s"))
    await house.look(1)
    await house.look(1)
    assert house.status["phase"] == Phase.BAKING
    house.cluster.fault = lambda kind, _subresource: Forbidden(QUOTA) if kind == CONFIG_MAP else None
    await house.look(10)
    assert (house.status["weight"], house.status["stable"]["version"]) == (100, "v1")
    assert _stalled(house)["reason"] == "RecordRefused"
    house.cluster.fault = lambda _kind, _subresource: None
    house.sources.values["v2"] = 9
    await house.look(2)
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert shows_nobody_v2(house)


async def test_a_way_back_whose_record_the_server_does_not_take_restores_the_spec_and_says_why(house: House) -> None:
    def refuses_the_record(patched: Json) -> Exception | None:
        metadata = patched["metadata"]
        return Forbidden(QUOTA) if isinstance(metadata, dict) and metadata["name"] == "reply-record" else None

    house.cluster.refuse = refuses_the_record
    house.sources.values["v2"] = 9
    await house.look(2)
    assert shows_nobody_v2(house)
    assert house.rollout["spec"]["prompt"]["version"] == "v1"
    assert house.status["phase"] == Phase.ROLLING_BACK
    assert (_stalled(house)["reason"], _stalled(house)["message"]) == ("RecordRefused", QUOTA)
    house.cluster.requests.clear()
    for _ in range(60):
        await house.look(10)
    assert {name for _, _, name in house.cluster.requests} == {"reply-record"}
    assert 3 <= house.cluster.requests.count(("patch", "ConfigMap", "reply-record")) <= 12
    house.cluster.refuse = lambda _patched: None
    await house.look(300)
    assert house.status["phase"] == Phase.ROLLED_BACK


async def _told(house: House) -> list[tuple[str, str]]:
    """The reason and the words of each Event about something that is refused, and of which Rollout."""
    house.announcer.start()
    await house.announcer.stop()
    events: list[Any] = [raw for (kind, _, _), raw in house.cluster.objects.items() if kind == EVENT]
    wrong = [event for event in events if event["reason"] == "ReconcileError"]
    return [(event["involvedObject"]["uid"], event["message"]) for event in wrong]


async def test_a_status_that_is_refused_for_good_is_told_once_by_an_event(house: House) -> None:
    said = 'admission webhook "policy" denied the request: no status on Sundays'
    house.cluster.fault = lambda kind, _subresource: Refused(said) if kind == ROLLOUT else None
    house.sources.values["v2"] = 9
    for _ in range(10):
        await house.look(10)
    assert await _told(house) == [("u", said)]
    house.cluster.fault = lambda _kind, _subresource: None
    await house.look(10)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert len(await _told(house)) == 1


async def test_a_rollout_that_waits_for_the_record_of_a_deleted_one_of_its_name_is_told_why(house: House) -> None:
    def refuses_the_record(patched: Json) -> Exception | None:
        metadata = patched["metadata"]
        return Forbidden(QUOTA) if isinstance(metadata, dict) and metadata["name"] == "reply-record" else None

    view = house.store.lost_rollout(REPLY, int(house.rollout["metadata"]["resourceVersion"]))
    assert view is not None
    house.cluster.refuse = refuses_the_record
    house.reconcile.depart(view)
    again = documents.rollout("v2")
    house.put(ROLLOUT, {**again, "metadata": {**again["metadata"], "uid": "younger"}, "status": {}})
    for _ in range(5):
        await house.look(10)
    assert shows_nobody_v2(house)
    assert house.status == {}
    assert await _told(house) == [("younger", QUOTA)]
    house.cluster.refuse = lambda _patched: None
    await house.look(10)
    assert house.status["phase"] in {Phase.IDLE, Phase.PROGRESSING, Phase.INVALID}


async def test_a_damaged_record_is_told_by_an_event_where_the_status_is_lost(house: House) -> None:
    record = house.cluster.at(CONFIG_MAP, "reply-record")
    record["data"]["record.json"] = "{}"
    house.cluster.put(CONFIG_MAP, record)
    house.put(ROLLOUT, {**house.rollout, "status": {}})
    for _ in range(5):
        await house.look(10)
    [(_, words)] = await _told(house)
    assert (
        words == "ConfigMap reply-record: record.json is not what headgate wrote; restore it, or delete the ConfigMap"
    )
