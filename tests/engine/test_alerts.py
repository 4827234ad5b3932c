"""What a stored alert does to the attempt that it names, in every state of it."""

import json
import re

import pytest

from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import Outcome, Phase
from headgate.engine.alert_note import ALERT, LONGEST_NOTE, AlertNote, alert_note
from headgate.engine.observation import GateView
from tests.engine.scenes import HOUR, MINUTE, at_step
from tests.engine.world import NO_DATA, World, gate, prompted, spec, value


def alert(
    world: World, action: str, attempt: int = 1, key: str = "uid-1/ab/1", text: str = "Burning: it burns"
) -> None:
    note = AlertNote(attempt, AlertAction(action), key, "Burning", text)
    world.annotate("alert", note.written())


def test_an_alert_takes_the_attempt_back_and_rejects_its_digest() -> None:
    world = at_step(25)
    alert(world, "Rollback")
    world.settle()
    assert world.status.weight == 0
    assert world.exposed() == {"sha256:v7"}
    assert [(known.version, known.reason) for known in world.status.rejected] == [("v8", "alert: Burning: it burns")]
    assert world.spec.prompt is not None
    assert prompted(world) == "v7"
    assert world.phase() is Phase.ROLLED_BACK


def test_an_alert_works_while_paused_without_evidence_and_in_the_bake() -> None:
    paused = at_step(10)
    paused.answer = lambda question: NO_DATA
    paused.edit(paused.spec.model_copy(update={"paused": True}))
    paused.run(HOUR)
    alert(paused, "Rollback")
    paused.settle()
    assert paused.phase() is Phase.ROLLED_BACK

    baking = at_step(100)
    baking.settle()
    assert baking.phase() is Phase.BAKING
    alert(baking, "Rollback")
    baking.settle()
    assert baking.exposed() == {"sha256:v7"}


def test_an_alert_works_before_anybody_was_exposed() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.settle()
    assert world.phase() is Phase.VERIFYING
    alert(world, "Rollback")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert "sha256:v8" in {known.digest for known in world.status.rejected}


def test_what_is_left_behind_harms_no_later_attempt() -> None:
    world = at_step(10)
    alert(world, "Rollback")
    world.settle()
    world.release("v9")
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.status.history[0].outcome is Outcome.PROMOTED


def test_an_alert_of_another_attempt_does_nothing() -> None:
    world = at_step(10)
    for attempt in (0, 2, 3):
        alert(world, "Rollback", attempt)
        world.settle()
    assert world.status.weight == 10
    assert world.status.attempt is not None
    assert not world.status.attempt.alerts


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{",
        "3",
        "null",
        "[" * 900,
        '{"attempt": 1}',
        '{"attempt": true, "action": "Rollback", "key": "k", "name": "n", "text": "t"}',
        '{"attempt": 1, "action": "Explode", "key": "k", "name": "n", "text": "t"}',
        '{"attempt": 1, "action": ["Rollback"], "key": "k", "name": "n", "text": "t"}',
        '{"attempt": 1, "action": "Rollback", "key": "", "name": "n", "text": "t"}',
        json.dumps({"attempt": 1, "action": "Rollback", "key": "k", "name": "n", "text": "t" * LONGEST_NOTE}),
    ],
)
def test_an_annotation_that_headgate_did_not_write_is_ignored(written: str) -> None:
    world = at_step(10)
    commits = len(world.commits)
    world.annotate("alert", written)
    world.settle()
    assert world.status.weight == 10
    assert len(world.commits) == commits


def test_a_pause_stops_rises_until_resumed_and_the_same_alert_pauses_no_second_time() -> None:
    world = at_step(10)
    alert(world, "Pause")
    world.settle()
    assert world.phase() is Phase.PAUSED
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.status.attempt is not None
    assert world.status.attempt.paused is not None
    assert world.status.attempt.paused.check == "alert/Burning"
    world.annotate("resume", "1")
    world.restart()
    assert world.run(HOUR, until=lambda world: world.status.weight == 25)
    alert(world, "Pause", key="uid-1/ab/2")
    world.settle()
    assert world.phase() is Phase.PAUSED
    assert [notice.reason for notice in world.notices].count("PausedByAlert") == 2


def test_the_condition_says_who_paused_and_what_it_names_ends_each_pause() -> None:
    world = at_step(10)
    for number in (1, 2, 3):
        alert(world, "Pause", key=f"uid-1/ab/{number}")
        world.run(HOUR)
        paused = next(each for each in world.status.conditions if each.type == "Paused")
        said = re.fullmatch(
            r"paused by alert/Burning \(Burning: it burns\); resume with: headgate resume reply"
            r" \(headgate\.dev/resume: (.+)\)",
            paused.message,
        )
        assert (paused.reason, world.phase(), said is not None) == ("Alert", Phase.PAUSED, True)
        assert said is not None
        world.annotate("resume", said[1])
        world.settle()
        assert world.phase() is not Phase.PAUSED


def test_a_pause_of_an_alert_is_said_beside_that_of_the_spec() -> None:
    world = at_step(10)
    alert(world, "Pause")
    world.settle()
    world.release("v8", paused=True)
    world.settle()
    message = next(each.message for each in world.status.conditions if each.type == "Paused")
    assert message.startswith("spec.paused is set: weights do not rise; paused by alert/Burning ")


def test_a_resume_that_was_written_before_the_alert_does_not_end_its_pause() -> None:
    world = at_step(10)
    world.annotate("resume", "1")
    world.settle()
    alert(world, "Pause")
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED


def test_judging_and_reverting_go_on_in_a_pause() -> None:
    world = at_step(10)
    alert(world, "Pause")
    world.settle()
    world.answer = lambda question: value(0.2)
    world.run(MINUTE)
    assert world.phase() is Phase.ROLLED_BACK


def test_a_pause_keeps_an_attempt_from_its_first_step() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.settle()
    alert(world, "Pause")
    world.settle()
    world.gates = World(spec("v7")).gates
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.phase() is Phase.PAUSED
    world.annotate("resume", "1")
    world.settle()
    assert world.status.weight == 10


def test_an_alert_in_a_gates_pause_does_not_pause_again_after_the_resume() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Pause"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=lambda world: world.phase() is Phase.PAUSED)
    alert(world, "Pause")
    world.settle()
    assert world.status.attempt is not None
    assert world.status.attempt.paused is not None
    assert world.status.attempt.paused.check == "quality/errors"
    world.answer = lambda question: value(0.0)
    world.annotate("resume", "1")
    assert world.run(HOUR, until=lambda world: world.status.weight == 25)


def test_a_notice_is_told_once_and_holds_nothing() -> None:
    world = at_step(10)
    alert(world, "Notify")
    world.settle()
    world.restart()
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    told = [notice.message for notice in world.notices if notice.reason == "AlertFiring"]
    assert told == ["attempt 1: alert: Burning: it burns"]


def test_more_alerts_than_are_remembered_stay_bounded() -> None:
    world = at_step(10)
    for number in range(400):
        alert(world, "Notify", key=f"uid-1/{number}/1")
        world.settle()
    assert world.status.attempt is not None
    assert len(world.status.attempt.alerts) == 16


def test_alerts_that_come_in_turn_are_told_once_each() -> None:
    world = at_step(10)
    for number in (*range(100), *range(100)):
        alert(world, "Notify", key=f"uid-1/{number}/1")
        world.settle()
    assert [notice.reason for notice in world.notices].count("AlertFiring") == 100


@pytest.mark.parametrize("text", ["x" * 5000, "ü" * 2000, '"' * 3000, "\U0001f525" * 1000, "\u0000" * 700])
def test_what_is_written_is_bounded_and_read_again(text: str) -> None:
    note = AlertNote(3, AlertAction.PAUSE, "k" * 130, "n" * 100, text)
    written = note.written()
    assert len(written.encode()) <= LONGEST_NOTE
    again = alert_note({ALERT: written})
    assert again is not None
    assert (again.attempt, again.key, again.name) == (note.attempt, note.key, note.name)
    assert again.text
    assert text.startswith(again.text)
