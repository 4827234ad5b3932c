"""Versions that are deleted, renamed or created again in mid-attempt, and what people read meanwhile."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from headgate.api.rollout_status import Phase, RolloutStatus
from headgate.engine.observation import GateView
from headgate.engine.plan import Record
from headgate.engine.taken import MOST_TAKEN
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


def promoted(world: World, *versions: str) -> None:
    """Each of them becomes stable, one after the other."""
    for version in versions:
        world.add_version(version)
        world.release(version)
        assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert world.exposed() == {f"sha256:{versions[-1]}"}


def created_again(world: World, version: str) -> None:
    """With other content, and asked for."""
    world.add_version(version, digest=f"sha256:{version}-other")
    world.release(version)
    world.run(HOUR)


@pytest.mark.parametrize("old", ["v7", "v8"])
def test_a_name_that_is_older_than_the_history_means_its_first_content(old: str) -> None:
    world = World(spec("v7"))
    world.settle()
    promoted(world, "v8", *(f"v{number}" for number in range(10, 22)))
    assert old not in {entry.version for entry in world.status.history}
    created_again(world, old)
    assert condition(world, "Stalled") == "True/VersionRecreated"
    assert (world.status.attempts, world.exposed()) == (13, {"sha256:v21"})
    # Where its content is what it was it may be tried.
    world.add_version(old, digest=f"sha256:{old}")
    world.run(HOUR, until=lambda world: world.status.weight == 10)
    assert world.exposed() == {"sha256:v21", f"sha256:{old}"}


def test_the_first_version_keeps_its_name_too() -> None:
    world = World(spec("v7"))
    world.settle()
    promoted(world, "v8")
    created_again(world, "v7")
    assert condition(world, "Stalled") == "True/VersionRecreated"


def test_names_outlive_the_rollout() -> None:
    world = World(spec("v7"))
    world.settle()
    promoted(world, "v8", *(f"v{number}" for number in range(10, 22)))
    world.status, world.uid = RolloutStatus(), "younger"
    world.restart()
    world.settle()
    for old in ("v7", "v8", "v10"):
        created_again(world, old)
        assert condition(world, "Stalled") == "True/VersionRecreated"
    assert world.exposed() == {"sha256:v21"}


@pytest.mark.parametrize("names", [{"v" * 254: "sha256:7"}, {"v7": "7" * 81}])
def test_a_name_on_record_that_no_status_can_hold_is_not_believed(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Record.model_validate({"versions": names})


def test_no_more_names_are_kept_than_the_status_may_hold() -> None:
    world = World(spec("v7"))
    world.settle()
    promoted(world, *(f"v{number}" for number in range(10, 80)))
    assert len(world.status.taken) == MOST_TAKEN
    assert world.status.taken[0].version == "v69"


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
