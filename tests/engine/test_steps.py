"""A step is entered and left by its hold, its gates and people; what is unknown holds it."""

from datetime import timedelta

import pytest

from headgate.api.rollout_status import Phase
from headgate.engine.evidence import Reading, ReadingKind
from headgate.engine.observation import GateView
from tests.engine.scenes import FLAG, HOUR, MINUTE, at_step, condition, in_phase
from tests.engine.world import ERROR, NO_DATA, World, gate, spec, value


def test_a_step_is_left_only_after_its_hold() -> None:
    world = at_step(10)
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    world.run(timedelta(seconds=1))
    assert world.status.weight == 25


def test_an_undelivered_step_is_never_left_and_its_clock_does_not_run() -> None:
    world = World(spec("v7"))
    world.settle()
    world.delivers = False
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.status.attempt is not None
    assert world.status.attempt.exposed_at is None
    assert condition(world, "Delivered") == "False/Undelivered"

    world.delivers = True
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    world.run(timedelta(seconds=1))
    assert world.status.weight == 25


@pytest.mark.parametrize("answer", [ERROR, NO_DATA, value(0.01, samples=3), Reading(ReadingKind.VALUE, None, 0)])
def test_without_good_evidence_it_holds_for_ever_and_reverts_nobody(answer: Reading) -> None:
    world = at_step(10)
    world.answer = lambda question: answer
    world.run(timedelta(hours=12))
    assert world.status.weight == 10
    assert world.phase() is Phase.HOLDING
    assert not world.status.rejected
    assert len(world.commits) < 12


def test_the_first_step_waits_for_a_gate_that_is_missing_and_goes_on_when_it_appears() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.phase() is Phase.VERIFYING
    assert world.status.weight == 0
    assert world.status.attempt is not None
    assert "QualityGate 'quality' does not exist" in world.status.attempt.reason

    world.gates["quality"] = GateView("quality", gate())
    world.settle()
    assert world.status.weight == 10


def test_a_gate_that_is_not_ready_or_lacks_an_argument_exposes_nobody() -> None:
    world = World(spec("v7", gates=[{"name": "quality"}]))
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.status.attempt is not None
    assert "args.app" in world.status.attempt.reason


def test_an_approval_lets_the_step_be_entered_and_only_of_this_attempt() -> None:
    steps = [
        {"weight": 10, "holdFor": "1m"},
        {"name": "beta", "weight": 50, "holdFor": "1m", "approval": "Required"},
        {"weight": 100},
    ]
    world = at_step(10, steps=steps)
    world.annotate("approve", "7/beta")
    world.run(HOUR)
    assert world.phase() is Phase.AWAITING_APPROVAL
    assert world.status.weight == 10

    world.annotate("approve", "1/beta")
    world.settle()
    assert world.status.weight == 50


def test_a_shadow_step_exposes_nobody_and_counts_as_exposure_for_the_evidence() -> None:
    steps = [{"name": "shadow", "shadow": "100%", "holdFor": "10m"}, {"weight": 100}]
    world = World(spec("v7", steps=steps))
    world.settle()
    world.release("v8")
    world.run(MINUTE)
    assert world.phase() is Phase.SHADOWING
    assert world.shown[FLAG].shadow == 100
    assert world.exposed() == {"sha256:v7"}
    assert world.status.attempt is not None
    assert world.status.attempt.exposed_at is not None


def test_paused_stops_rises_only() -> None:
    world = at_step(10)
    world.edit(spec("v8", paused=True))
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.phase() is Phase.PAUSED
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))


def test_edits_to_steps_and_gates_count_from_the_next_attempt() -> None:
    world = at_step(10)
    world.edit(spec("v8", steps=[{"weight": 100}], gates=[]))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "0"}))
    world.answer = lambda question: value(0.01)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert [weight for weight in world.weights if weight] == [10, 25, 50, 100]


def test_the_bake_is_judged_and_reverted() -> None:
    world = at_step(100)
    assert world.run(HOUR, until=in_phase(Phase.BAKING))
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert world.exposed() == {"sha256:v7"}
