"""Versions that are deleted, renamed or created again in mid-attempt, and what people read meanwhile."""

from datetime import timedelta

from headgate.api.rollout_status import Phase
from headgate.engine.observation import GateView
from tests.engine.scenes import HOUR, at_step, condition, in_phase
from tests.engine.world import World, gate, prompted, spec, value


def test_a_first_step_is_not_entered_while_the_version_is_gone_be_it_for_a_moment() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.run(HOUR)
    world.restart()
    gone = world.versions.pop("v8")
    world.gates["quality"] = GateView("quality", gate())
    world.run(HOUR)
    assert world.weights == [0]
    assert world.status.weight == 0
    world.versions["v8"] = gone
    world.settle()
    assert world.status.weight == 10


def test_a_candidate_created_again_with_other_content_holds_where_it_is() -> None:
    world = at_step(25)
    world.add_version("v8", digest="sha256:other")
    world.run(HOUR)
    assert world.status.weight == 25
    assert condition(world, "Stalled") == "True/VersionRecreated"
    assert world.exposed() == {"sha256:v7", "sha256:v8"}
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert world.exposed() == {"sha256:v7"}


def test_a_candidate_that_is_deleted_in_mid_attempt_holds_and_can_still_be_aborted() -> None:
    world = at_step(25)
    del world.versions["v8"]
    world.run(HOUR)
    assert world.status.weight == 25
    assert world.phase() is Phase.HOLDING
    world.annotate("abort", "1")
    world.settle()
    assert world.exposed() == {"sha256:v7"}
    assert prompted(world) == "v7"


def test_the_same_content_under_another_name_goes_on_and_is_reverted_with_the_spec() -> None:
    world = at_step(25)
    world.add_version("v8-again", digest="sha256:v8")
    world.release("v8-again")
    world.settle()
    assert world.status.weight == 25
    assert world.status.attempts == 1
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert prompted(world) == "v7"
    assert world.restores == 1


def test_what_a_verifying_attempt_waits_for_is_what_people_read() -> None:
    world = World(spec("v7", gates=[{"name": "quality", "args": {"app": "reply"}}, {"name": "second"}]))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.status.attempt is not None
    assert "'quality'" in world.status.attempt.reason
    world.gates["quality"] = GateView("quality", gate())
    world.run(timedelta(minutes=2))
    assert "'second'" in world.status.attempt.reason
    commits = len(world.commits)
    world.run(timedelta(days=1))
    assert len(world.commits) == commits


def test_gates_deleted_in_mid_attempt_change_nothing() -> None:
    world = at_step(25)
    world.gates.clear()
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
