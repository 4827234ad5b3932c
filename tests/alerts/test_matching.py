"""Which alert concerns which Rollout, and which one of several is stored."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from headgate.alerts import matching
from headgate.alerts.matching import Bearing, is_bound, matched
from headgate.api.rollout import AlertAction
from headgate.engine.alert_note import AlertNote, alert_note
from headgate.engine.observation import Key
from tests.alerts.posts import BURNING
from tests.alerts.rollouts import BEGAN, LATER, Shelves, firing, rollout

REPLY = Key("ai", "reply")
KEY = "uid-reply/ab/2026-11-21T06:03:00.000Z"


def stored(action: AlertAction, key: str = KEY, attempt: int = 3) -> str:
    return AlertNote(attempt, action, key, "RankerBurningBudget", "it burns").written()


def only(bearing: Bearing, shelves: Shelves) -> bool:
    found = matched(shelves.views(), [firing()])
    return found.bearings == {bearing: 1} and bool(found.notes) == (bearing is Bearing.TO_STORE)


def test_an_alert_with_every_label_is_stored_with_its_words() -> None:
    found = matched(Shelves(rollout()).views(), [firing({**BURNING, "pod": "p-1"})])
    _, note = found.notes[REPLY]
    assert note == AlertNote(
        3,
        AlertAction.ROLLBACK,
        KEY,
        "RankerBurningBudget",
        "RankerBurningBudget severity=critical: the budget burns 14 times too fast",
    )


@pytest.mark.parametrize(
    "labels",
    [{}, {"severity": "critical"}, {**BURNING, "severity": "Critical"}, {**BURNING, "alertname": "RankerBurning.*"}],
)
def test_an_alert_that_differs_in_any_label_concerns_nobody(labels: dict[str, str]) -> None:
    found = matched(Shelves(rollout()).views(), [firing(labels)])
    assert not found.notes
    assert not found.bearings


@pytest.mark.parametrize("state", ["Verifying", "Stepping", "Baking"])
def test_it_counts_in_every_state_of_an_attempt_in_flight(state: str) -> None:
    assert only(Bearing.TO_STORE, Shelves(rollout(state=state)))


@pytest.mark.parametrize("state", ["RollingBack", "Ended"])
def test_it_counts_no_more_once_the_attempt_is_on_its_way_back(state: str) -> None:
    assert only(Bearing.IDLE, Shelves(rollout(state=state)))


def test_an_alert_that_fired_before_the_attempt_is_stale_and_one_of_its_first_moment_is_not() -> None:
    views = Shelves(rollout()).views()
    assert matched(views, [firing(at=BEGAN - timedelta(milliseconds=1))]).bearings == {Bearing.STALE: 1}
    assert matched(views, [firing(at=BEGAN)]).bearings == {Bearing.TO_STORE: 1}


@pytest.mark.parametrize(
    ("before", "heard", "bearing"),
    [
        (stored(AlertAction.ROLLBACK), [], Bearing.KNOWN),
        (stored(AlertAction.ROLLBACK, "another"), [], Bearing.KNOWN),
        (stored(AlertAction.ROLLBACK, attempt=2), [], Bearing.TO_STORE),
        (stored(AlertAction.PAUSE), [], Bearing.TO_STORE),
        (stored(AlertAction.PAUSE), [KEY], Bearing.TO_STORE),
        (stored(AlertAction.NOTIFY, "another"), [], Bearing.TO_STORE),
        ("nonsense", [], Bearing.TO_STORE),
    ],
)
def test_a_rollback_beside_what_is_stored(before: str, heard: list[str], bearing: Bearing) -> None:
    assert only(bearing, Shelves(rollout(stored=before, heard=heard)))


@pytest.mark.parametrize(
    ("before", "heard", "bearing"),
    [
        (stored(AlertAction.ROLLBACK, "another"), [], Bearing.KNOWN),
        (stored(AlertAction.PAUSE), [], Bearing.KNOWN),
        (stored(AlertAction.PAUSE), [KEY], Bearing.KNOWN),
        (stored(AlertAction.PAUSE, "another"), [KEY, "another"], Bearing.KNOWN),
        (stored(AlertAction.PAUSE, "another"), ["another"], Bearing.TO_STORE),
        (stored(AlertAction.PAUSE, "another"), [], Bearing.BUSY),
        (stored(AlertAction.NOTIFY, "another"), [], Bearing.BUSY),
        (stored(AlertAction.NOTIFY, "another"), ["another"], Bearing.TO_STORE),
        (stored(AlertAction.NOTIFY, "another", attempt=2), [], Bearing.TO_STORE),
        (stored(AlertAction.NOTIFY), [], Bearing.TO_STORE),
        (stored(AlertAction.NOTIFY), [KEY], Bearing.KNOWN),
    ],
)
def test_a_pause_beside_what_is_stored(before: str, heard: list[str], bearing: Bearing) -> None:
    wanted = {"match": BURNING, "action": "Pause"}
    assert only(bearing, Shelves(rollout("reply", wanted, stored=before, heard=heard)))


def test_of_several_alerts_the_most_severe_and_then_the_oldest_is_stored() -> None:
    wanted: list[dict[str, Any]] = [{"match": {"alertname": "Slow"}, "action": "Pause"}, {"match": BURNING}]
    views = Shelves(rollout("reply", *wanted)).views()
    slow = [firing({"alertname": "Slow"}, at=BEGAN, fingerprint=f"a{number}") for number in range(3)]
    burning = [firing(at=LATER, fingerprint="b1"), firing(at=BEGAN, fingerprint="b2")]
    _, note = matched(views, [*slow, *burning]).notes[REPLY]
    assert (note.action, note.key.split("/")[1]) == (AlertAction.ROLLBACK, "b2")
    assert note.text.endswith("(and 4 more)")


def test_an_alert_that_two_matchers_name_does_the_most_severe() -> None:
    wanted: list[dict[str, Any]] = [
        {"match": BURNING, "action": "Notify"},
        {"match": {"alertname": BURNING["alertname"]}},
    ]
    _, note = matched(Shelves(rollout("reply", *wanted)).views(), [firing()]).notes[REPLY]
    assert note.action is AlertAction.ROLLBACK


def test_every_rollout_that_asks_for_it_is_concerned_and_no_other() -> None:
    shelves = Shelves(rollout("reply"), rollout("summary"), rollout("other", {"match": {"alertname": "Other"}}))
    assert set(matched(shelves.views(), [firing()]).notes) == {REPLY, Key("ai", "summary")}
    assert all(is_bound(view) for view in shelves.views())


def test_words_of_anybody_become_one_harmless_line() -> None:
    labels = {"alertname": "Burning\n\x1b[31m" + "x" * 5000, "severity": "critical\r\n"}
    views = Shelves(rollout("reply", {"match": {"alertname": labels["alertname"][:9]}})).views()
    assert not matched(views, [firing(labels)]).notes
    said = firing({**BURNING, "severity": "critical"}, summary="a\nb\x1b[2J\u202e" + "é" * 5000)
    _, note = matched(Shelves(rollout()).views(), [said]).notes[REPLY]
    assert note.text.isprintable()
    assert len(note.written().encode()) <= 1024


def test_in_a_storm_what_is_stored_is_read_once_for_each_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def counted(annotations: Mapping[str, str]) -> AlertNote | None:
        read.append(annotations)
        return alert_note(annotations)

    monkeypatch.setattr(matching, "alert_note", counted)
    shelves = Shelves(*(rollout(f"reply-{number}") for number in range(20)))
    storm = [firing(fingerprint=f"{number:x}") for number in range(50)]
    found = matched(shelves.views(), storm)
    assert found.bearings == {Bearing.TO_STORE: 1000}
    assert all(note.text.endswith("(and 49 more)") for _, note in found.notes.values())
    assert len(read) == len(found.notes) == 20
