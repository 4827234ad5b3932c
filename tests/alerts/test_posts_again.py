"""A post with several alerts that Alertmanager sends again and again, as it does while they fire."""

from datetime import timedelta

import pytest

from headgate.alerts.matching import Bearing, matched
from headgate.alerts.payload import Alert
from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import Phase
from headgate.engine.alert_note import ALERT, LONGEST_NOTE, AlertNote, alert_note
from tests.alerts.rollouts import LATER, Shelves, firing, rollout
from tests.engine.scenes import at_step
from tests.engine.world import World

SLOW = {"alertname": "Slow"}
ASKS = {"match": SLOW, "action": "Pause"}


def sent(world: World, post: list[Alert]) -> None:
    """The operator receives the post, and stores what is to be stored."""
    for _, note in matched([world.view], post).notes.values():
        world.annotate(ALERT.removeprefix("headgate.dev/"), note.written())
    world.settle()


def post_at(world: World, count: int) -> list[Alert]:
    """As many alerts of one name, which began to fire just now."""
    return [firing({**SLOW, "pod": f"{n}"}, at=world.now, fingerprint=f"{n:016x}") for n in range(count)]


def heard_in(world: World) -> list[str]:
    """What made a pause or was told."""
    return [each.reason for each in world.notices if each.reason in ("PausedByAlert", "AlertFiring")]


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_a_resume_is_undone_by_no_repetition_of_the_post_that_paused(count: int) -> None:
    world = at_step(10, rollback={"alerts": [ASKS]})
    world.now += timedelta(seconds=1)
    post = post_at(world, count)
    sent(world, post)
    assert world.phase() is Phase.PAUSED
    world.annotate("resume", "1")
    world.settle()
    for _ in range(5):
        sent(world, post)
        assert world.status.attempt is not None
        assert world.status.attempt.paused is None
    assert heard_in(world) == ["PausedByAlert"]


def test_another_alert_of_that_name_pauses_again() -> None:
    world = at_step(10, rollback={"alerts": [ASKS]})
    world.now += timedelta(seconds=1)
    *first, last = post_at(world, 3)
    sent(world, first)
    world.annotate("resume", "1")
    world.settle()
    sent(world, [*first, last])
    assert world.phase() is Phase.PAUSED
    assert heard_in(world) == ["PausedByAlert", "PausedByAlert"]


def test_a_rollback_among_those_that_were_heard_takes_the_attempt_back() -> None:
    burns = {"match": {**SLOW, "severity": "critical"}}
    world = at_step(10, rollback={"alerts": [ASKS, burns]})
    world.now += timedelta(seconds=1)
    post = post_at(world, 2)
    sent(world, post)
    assert world.phase() is Phase.PAUSED
    severe = post[1].model_copy(update={"labels": {**post[1].labels, "severity": "critical"}})
    sent(world, [post[0], severe])
    assert world.phase() is Phase.ROLLED_BACK


def test_a_post_with_more_alerts_than_there_is_room_for_pauses_few_times() -> None:
    world = at_step(10, rollback={"alerts": [ASKS]})
    world.now += timedelta(seconds=1)
    post = post_at(world, 60)
    for _ in range(10):
        sent(world, post)
        world.annotate("resume", f"1/{world.effects}")
        world.settle()
    assert heard_in(world) == ["PausedByAlert"] * 3
    assert world.status.attempt is not None
    assert len(world.status.attempt.alerts) == 6
    assert all(len(entry) <= 253 for entry in world.status.attempt.alerts)


def test_the_same_post_twice_before_it_was_heard_waits_for_nothing() -> None:
    post = [firing(SLOW, at=LATER, fingerprint=name) for name in ("a1", "a2", "a3")]
    (_, note), *_ = matched(Shelves(rollout("reply", ASKS)).views(), post).notes.values()
    again = matched(Shelves(rollout("reply", ASKS, stored=note.written())).views(), post)
    assert again.bearings == {Bearing.KNOWN: 3}


@pytest.mark.parametrize("others", ["", "0123456789ab", ",".join(["0123456789ab"] * 19)])
def test_the_marks_of_others_are_read_again_as_they_were_written(others: str) -> None:
    note = AlertNote(3, AlertAction.PAUSE, "k" * 130, "\U0001f525" * 100, "\U0001f525" * 1000, others)
    written = note.written()
    assert len(written.encode()) <= LONGEST_NOTE
    again = alert_note({ALERT: written})
    assert again is not None
    assert (again.key, again.name, again.others) == (note.key, note.name, others)


@pytest.mark.parametrize("others", ["g123456789ab", "0123456789ab,", ",".join(["0123456789ab"] * 20), "x" * 900])
def test_marks_that_headgate_did_not_write_stand_for_nothing(others: str) -> None:
    note = AlertNote(3, AlertAction.PAUSE, "k", "Slow", "t", others)
    read = alert_note({ALERT: note.written()})
    assert read is not None
    assert read.others == ""
