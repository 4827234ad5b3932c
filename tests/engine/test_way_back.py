"""A breach, an abort, the kill switch and a newer version: everybody is back at stable, whatever else is asked."""

from datetime import timedelta

import pytest

from headgate.api.rollout_status import AttemptState, Outcome, Phase
from headgate.engine.observation import GateView
from tests.engine.scenes import FLAG, HOUR, at_step, condition, in_phase
from tests.engine.world import ERROR, World, gate, prompted, spec, value


@pytest.mark.parametrize("weight", [10, 25, 50, 100])
def test_abort_works_at_every_step_and_rejects(weight: int) -> None:
    world = at_step(weight)
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}
    assert prompted(world) == "v7"


def test_abort_works_while_paused_and_a_stale_one_does_nothing() -> None:
    world = at_step(25)
    world.edit(spec("v8", paused=True))
    world.annotate("abort", "9")
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK


@pytest.mark.parametrize("switch", ["Stable", "Legacy"])
def test_the_kill_switch_takes_everybody_back_and_off_raises_nothing(switch: str) -> None:
    world = at_step(50)
    world.edit(spec("v8", killSwitch=switch))
    world.settle()
    assert world.phase() is Phase.KILLED
    assert world.shown[FLAG].weight == 0
    assert world.shown[FLAG].kill.value == switch
    world.edit(spec(prompted(world)))
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.exposed() == {"sha256:v7"}
    world.release("v8")
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


@pytest.mark.parametrize("switch", ["Stable", "Legacy"])
def test_the_kill_switch_at_rest_is_not_called_delivered_before_the_routers_show_it(switch: str) -> None:
    world = World(spec("v7"))
    world.settle()
    before = len(world.commits)
    world.delivers = False
    world.edit(spec("v7", killSwitch=switch))
    world.settle()
    assert world.phase() is Phase.KILLED
    assert condition(world, "Delivered") == "False/Undelivered"
    world.delivers = True
    world.run(HOUR)
    assert condition(world, "Delivered") == "True/Delivered"
    assert len(world.commits) - before == 2


def test_pointing_back_at_stable_rejects_nothing() -> None:
    world = at_step(25)
    world.release("v7")
    world.settle()
    assert world.status.history[0].outcome is Outcome.ABORTED
    assert not world.status.rejected
    assert world.exposed() == {"sha256:v7"}
    world.release("v8")
    world.settle()
    assert world.status.weight == 10


def test_a_newer_candidate_supersedes_from_step_0_and_nobody_sees_both() -> None:
    world = at_step(50)
    world.release("v9")
    world.settle()
    assert world.status.history[0].outcome is Outcome.SUPERSEDED
    assert world.weights[-2:] == [0, 10]
    assert world.exposed() == {"sha256:v7", "sha256:v9"}
    assert not world.status.rejected


def test_a_rejected_digest_is_not_tried_again_whoever_applies_it_until_retry() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    for _ in range(5):
        world.release("v8")
        world.run(HOUR)
        assert world.exposed() == {"sha256:v7"}
    assert condition(world, "Stalled") == "True/Rejected"
    commits = len(world.commits)
    world.run(timedelta(days=1))
    assert len(world.commits) == commits
    world.annotate("retry", "1")
    world.settle()
    assert world.status.weight == 10


def test_the_same_content_under_another_name_is_rejected_too() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    world.add_version("v8-again", digest="sha256:v8")
    world.release("v8-again")
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


def test_gitops_writing_the_rejected_version_right_after_the_restore_moves_nothing_and_does_not_loop() -> None:
    world = at_step(10)
    world.foreign_after_restore = "v8"
    world.annotate("abort", "1")
    world.run(HOUR)
    assert world.restores == 1
    assert world.exposed() == {"sha256:v7"}
    assert world.status.attempt is not None
    assert world.status.attempt.state is AttemptState.ENDED


def test_a_newer_candidate_applied_during_the_way_back_starts_after_it() -> None:
    world = at_step(10)
    world.answer = lambda question: value(0.5) if question.subject.version == "v8" else value(0.0)
    world.foreign_after_restore = "v9"
    assert world.run(HOUR, until=lambda world: bool(world.status.rejected))
    world.settle()
    assert world.status.history[0].outcome is Outcome.ROLLED_BACK
    assert world.status.attempt is not None
    assert world.status.attempt.candidate.version == "v9"
    assert world.restores == 1


def test_stables_objects_need_not_exist_for_a_revert() -> None:
    world = at_step(25)
    del world.versions["v7"]
    world.gates.clear()
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}
    assert world.shown[FLAG].stable.payload is not None


def test_promote_waives_holds_and_silence_but_never_harm_and_can_still_be_aborted() -> None:
    world = at_step(10)
    world.answer = lambda question: ERROR
    world.annotate("promote", "1")
    assert world.run(HOUR, until=in_phase(Phase.BAKING))
    assert [weight for weight in world.weights if weight] == [10, 25, 50, 100]
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK


def test_promote_does_not_step_over_a_breach() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Hold"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.5)
    world.run(timedelta(seconds=20))
    world.annotate("promote", "1")
    world.run(HOUR)
    assert world.status.weight == 10
