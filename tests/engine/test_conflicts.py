"""Others who write between a decision and its commit: what was seen still counts, and nothing is done twice."""

from datetime import timedelta

import pytest

from headgate.api.rollout_status import Outcome, Phase
from tests.engine.scenes import HOUR, MINUTE, about_to_be_promoted, at_step, in_phase
from tests.engine.world import World, spec, value


def edited(world: World) -> None:
    """Somebody adds a label."""
    world.resource_version += 1


def recovered(world: World) -> None:
    """The candidate gets well just then, and somebody writes."""
    world.answer = lambda question: value(0.0)
    world.resource_version += 1


@pytest.mark.parametrize("version", ["v8", "v9", "v7"])
def test_a_critical_fail_once_seen_rejects_whatever_the_spec_says_by_then(version: str) -> None:
    world = at_step(25)
    world.answer = lambda question: value(0.5) if question.subject.version == "v8" else value(0.0)

    def meddle(world: World) -> None:
        recovered(world)
        world.release(version)

    world.before_commit = meddle
    assert world.run(MINUTE, until=lambda world: bool(world.status.history))
    assert world.status.history[0].outcome is Outcome.ROLLED_BACK
    assert world.status.rejected[0].version == "v8"
    world.run(HOUR)
    assert "sha256:v8" not in world.exposed()


@pytest.mark.parametrize("weight", [10, 25, 50, 100])
def test_a_conflict_at_a_rise_neither_skips_nor_repeats_a_step(weight: int) -> None:
    world = at_step(10)
    world.run(HOUR, until=lambda world: world.status.weight == weight)
    world.before_commit = edited
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert [shown for shown in world.weights if shown] == [10, 25, 50, 100]
    assert [notice.reason for notice in world.notices].count("StepEntered") == 3


def test_a_pause_that_comes_first_stops_the_rise_that_was_decided() -> None:
    world = at_step(10)
    world.run(timedelta(seconds=50))

    def pause(world: World) -> None:
        world.edit(spec("v8", paused=True))

    world.before_commit = pause
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.phase() is Phase.PAUSED


def test_a_kill_switch_that_comes_first_beats_the_promotion() -> None:
    world = about_to_be_promoted()

    def kill(world: World) -> None:
        world.edit(spec("v8", killSwitch="Stable"))

    world.before_commit = kill
    world.run(HOUR)
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.exposed() == {"sha256:v7"}


def test_a_warning_is_told_once_a_spell() -> None:
    world = at_step(10)
    world.answer = lambda question: value(0.03)
    world.edit(spec("v8", paused=True))
    world.run(HOUR)
    assert [notice.reason for notice in world.notices].count("CheckWarning") == 1


@pytest.mark.parametrize("fails", [1, 3])
def test_a_way_back_whose_commit_fails_reaches_the_routers_all_the_same(fails: int) -> None:
    world = at_step(25)
    world.answer = lambda question: value(0.5)
    world.commits_fail = fails
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))
    assert world.exposed() == {"sha256:v7"}
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
