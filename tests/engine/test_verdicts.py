"""What a check says, and for how long it must say so before something happens."""

from datetime import timedelta

import pytest

from headgate.api.rollout_status import Phase, VerdictKind
from headgate.engine.evidence import Arm, Question, Reading
from headgate.engine.observation import GateView
from tests.engine.scenes import HOUR, MINUTE, at_step, comparing, in_phase
from tests.engine.world import ERROR, NO_DATA, World, gate, spec, value


def test_a_breach_with_for_blocks_first_and_acts_when_it_persists() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "for": "40s"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=30))
    assert world.status.verdicts[0].verdict is VerdictKind.BREACHING
    assert world.status.weight == 10
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))


def test_silence_neither_resets_nor_advances_a_breach() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "for": "40s"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=31))
    world.answer = lambda question: ERROR
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=10))
    assert world.phase() is not Phase.ROLLED_BACK
    assert world.run(timedelta(seconds=30), until=in_phase(Phase.ROLLED_BACK))


@pytest.mark.parametrize(("on_no_data", "phase"), [("Rollback", Phase.ROLLED_BACK), ("Pause", Phase.PAUSED)])
def test_no_data_acts_only_after_the_hold(on_no_data: str, phase: Phase) -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(onNoData=on_no_data))
    world.settle()
    world.release("v8")
    world.answer = lambda question: NO_DATA
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    assert world.phase() is Phase.PROGRESSING
    assert world.run(MINUTE, until=in_phase(phase))


def test_a_gates_pause_ends_with_resume_and_a_used_resume_does_nothing_more() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Pause"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.answer = lambda question: value(0.0)
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.annotate("resume", "1")
    assert world.run(HOUR, until=lambda world: world.status.weight == 25)
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.answer = lambda question: value(0.0)
    world.annotate("resume", "1/25")
    assert world.run(HOUR, until=in_phase(Phase.IDLE))


def compared(bound: str) -> World:
    world = World(spec("v7"))
    check = {"ratio": None, "query": "cost", "minSamples": None, "warning": None, "critical": {"aboveStableBy": bound}}
    world.gates["quality"] = GateView("quality", gate(**check))
    world.settle()
    world.release("v8")
    return world


@pytest.mark.parametrize(("bound", "fails"), [("40%", 0.15), ("0.04", 0.15)])
def test_a_comparison_is_relative_with_percent_and_a_difference_without(bound: str, fails: float) -> None:
    world = compared(bound)
    world.answer = comparing(0.139, 0.1)
    world.run(timedelta(seconds=50))
    assert world.status.weight == 10
    world.answer = comparing(fails, 0.1)
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))


def test_a_relative_bound_against_zero_is_undecided() -> None:
    world = compared("40%")
    world.answer = comparing(5.0, 0.0)
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    assert world.status.verdicts[0].verdict is VerdictKind.UNDECIDED


def test_once_stable_no_longer_serves_its_last_good_value_counts() -> None:
    world = compared("40%")
    world.answer = comparing(0.1, 0.1)
    assert world.run(HOUR, until=lambda world: world.status.weight == 100)
    asked: list[Arm] = []

    def answer(question: Question) -> Reading:
        asked.append(question.subject.arm)
        return value(0.2)

    world.answer = answer
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert set(asked) == {Arm.CANDIDATE}


def test_a_warning_notifies_and_does_not_block() -> None:
    world = at_step(10)
    world.answer = lambda question: value(0.03)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert "CheckWarning" in {notice.reason for notice in world.notices}
