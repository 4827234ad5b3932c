"""What evidence means when it flaps, is missing in part, or is nonsense."""

from collections.abc import Callable
from datetime import timedelta
from math import inf, nan

import pytest

from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout_status import Phase, VerdictKind
from headgate.engine.evidence import Arm, Question, Reading, ReadingKind
from headgate.engine.observation import GateView
from tests.engine.scenes import HOUR, MINUTE, at_step, comparing, condition, in_phase
from tests.engine.world import ERROR, NO_DATA, World, gate, spec, value


def judged_by(**check: object) -> World:
    """A world at the first step, with a gate of that check."""
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(**check))
    world.settle()
    world.release("v8")
    return world


def in_turn(*readings: Reading) -> Callable[[Question], Reading]:
    """Answers for the candidate one after the other, over and over; stable is always at 0.1."""
    asked = 0

    def answer(question: Question) -> Reading:
        nonlocal asked
        if question.subject.arm is Arm.STABLE:
            return value(0.1)
        asked += 1
        return readings[(asked - 1) % len(readings)]

    return answer


def test_a_breach_of_one_bound_and_then_of_another_of_the_same_threshold_persists() -> None:
    world = judged_by(warning=None, critical={"above": "30%", "aboveStableBy": "40%", "for": "1m"})
    world.answer = in_turn(value(0.2), value(0.4))
    assert world.run(timedelta(seconds=80), until=in_phase(Phase.ROLLED_BACK))


def test_a_breach_that_goes_away_in_between_begins_anew() -> None:
    world = judged_by(critical={"above": "5%", "for": "1m"})
    world.answer = in_turn(value(0.2), value(0.2), value(0.2), value(0.0))
    world.run(HOUR)
    assert not world.status.rejected


def test_a_warning_does_not_let_a_step_go_on_that_its_critical_bound_cannot_judge() -> None:
    world = judged_by(warning={"above": "1%"}, critical={"aboveStableBy": "40%"})
    world.answer = comparing(0.02, None)
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.status.verdicts[0].verdict is VerdictKind.UNDECIDED


def test_a_warning_that_pauses_does_so_although_the_critical_bound_cannot_be_judged() -> None:
    world = judged_by(warning={"above": "1%", "action": "Pause"}, critical={"aboveStableBy": "40%"})
    world.answer = comparing(0.02, None)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))


@pytest.mark.parametrize("number", [nan, inf, -inf])
@pytest.mark.parametrize("arm", list(Arm))
def test_a_figure_that_is_none_never_passes_and_never_reverts(number: float, arm: Arm) -> None:
    world = judged_by(minSamples=None, warning=None, critical={"aboveStableBy": "40%"})

    def answer(question: Question) -> Reading:
        return Reading(ReadingKind.VALUE, number if question.subject.arm is arm else 0.1, inf)

    world.answer = answer
    world.run(HOUR)
    assert world.status.weight == 10
    assert not world.status.rejected


def test_samples_beyond_all_measure_can_be_written_down() -> None:
    world = at_step(10)
    world.answer = lambda question: Reading(ReadingKind.VALUE, 0.0, 1e300)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert all(0 <= (record.samples or 0) < 2**63 for record in world.status.verdicts)


@pytest.mark.parametrize("samples", [None, nan, -1.0])
def test_samples_that_count_nothing_are_too_few(samples: float | None) -> None:
    world = at_step(10)
    world.answer = lambda question: Reading(ReadingKind.VALUE, 0.5, samples)
    world.run(HOUR)
    assert world.status.weight == 10
    assert not world.status.rejected


def two_gates(slow: str) -> World:
    """A world judged by ``quality`` every 15 s and by ``slow`` less often."""
    world = World(spec("v7", gates=[{"name": "quality", "args": {"app": "reply"}}, {"name": "slow"}]))
    check = {"name": "latency", "query": "latency", "critical": {"above": "2", "action": "Hold"}}
    world.gates["slow"] = GateView("slow", QualityGateSpec.model_validate({"period": slow, "checks": [check]}))
    world.settle()
    return world


def test_a_step_is_left_on_evidence_of_after_its_hold_from_every_gate() -> None:
    world = two_gates("10m")
    asked: list[tuple[str, timedelta]] = []

    def answer(question: Question) -> Reading:
        asked.append((question.gate, world.now - began))
        return value(0.0)

    began = world.now
    world.answer = answer
    world.release("v8")
    assert world.run(HOUR, until=lambda world: world.status.weight == 25)
    assert ("slow", timedelta(seconds=60)) in asked
    for record in world.status.verdicts:
        assert record.measured_at is not None
        assert record.measured_at >= began + MINUTE


def test_a_measurement_from_before_the_holds_end_does_not_leave_the_step_when_it_arrives_after() -> None:
    world = two_gates("10m")
    world.release("v8")
    began = world.now
    world.run(timedelta(seconds=59))
    world.answer = lambda question: value(9.0) if question.gate == "slow" else value(0.0)
    world.memory_of_gate("quality", None)
    world.measurement_takes = timedelta(seconds=2)
    world.run(timedelta(seconds=5))
    world.measurement_takes = timedelta()
    world.run(timedelta(seconds=30))
    assert world.now > began + MINUTE
    assert world.status.weight == 10


def test_the_gates_are_measured_again_after_the_clock_was_put_back() -> None:
    world = at_step(10)
    world.run(timedelta(seconds=20))
    world.now -= timedelta(hours=5)
    world.answer = lambda question: value(0.5)
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))


def test_a_promote_past_missing_evidence_is_no_reason_to_revert_for_missing_evidence() -> None:
    world = judged_by(onNoData="Rollback")
    world.answer = lambda question: NO_DATA
    world.run(timedelta(seconds=20))
    world.annotate("promote", "1")
    assert world.run(MINUTE, until=in_phase(Phase.BAKING))
    assert not world.status.rejected
    assert world.run(timedelta(minutes=6), until=in_phase(Phase.ROLLED_BACK)), "the bake was not waived"


def test_a_promote_does_not_step_over_a_breach_that_silence_covers() -> None:
    world = judged_by(critical={"above": "5%", "for": "10m"})
    world.answer = lambda question: value(0.5)
    world.run(timedelta(seconds=20))
    world.answer = lambda question: ERROR
    world.run(timedelta(seconds=20))
    world.annotate("promote", "1")
    world.run(HOUR)
    assert world.status.weight == 10


def test_a_resume_of_before_the_pause_does_not_end_it() -> None:
    world = judged_by(critical={"above": "5%", "action": "Pause"})
    world.annotate("resume", "1")
    world.run(timedelta(seconds=20))
    world.answer = lambda question: value(0.5)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.answer = lambda question: value(0.0)
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.annotate("resume", "1/10")
    assert world.run(HOUR, until=in_phase(Phase.IDLE))


def test_the_silence_of_a_gate_that_judged_an_earlier_step_alone_is_not_spoken_of() -> None:
    steps = [
        {"name": "first", "weight": 10, "holdFor": "1m", "gates": [{"name": "once"}]},
        {"weight": 100, "holdFor": "1h"},
    ]
    world = World(spec("v7", steps=steps))
    check = {"name": "latency", "query": "latency", "critical": {"above": "2"}}
    world.gates["once"] = GateView("once", QualityGateSpec.model_validate({"checks": [check]}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: ERROR if question.gate == "once" else value(0.0)
    world.run(timedelta(minutes=5))
    assert condition(world, "EvidenceAvailable").startswith("False")
    world.annotate("promote", "1")
    world.run(timedelta(minutes=2))
    assert world.phase() is Phase.BAKING
    assert condition(world, "EvidenceAvailable") == "True/Available"


def test_a_silence_within_a_breach_does_not_count_for_it() -> None:
    world = judged_by(critical={"above": "5%", "for": "90s"})
    world.answer = lambda question: value(0.5)
    world.run(timedelta(seconds=46))
    world.answer = lambda question: NO_DATA
    world.run(timedelta(minutes=10))
    world.answer = lambda question: value(0.5)
    world.run(timedelta(seconds=40))
    assert not world.status.rejected
    assert world.run(timedelta(seconds=25), until=in_phase(Phase.ROLLED_BACK))


def test_too_few_samples_of_stable_leave_its_last_good_value_in_place() -> None:
    world = judged_by(warning=None, critical={"aboveStableBy": "40%"})
    world.answer = comparing(0.1, 0.1)
    world.run(timedelta(seconds=20))
    world.answer = comparing(0.2, 9.0, samples=3)
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))
