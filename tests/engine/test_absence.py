"""Routers that lose what they showed: no time of a hold, corrected by how bad it is, and no bar to a way back."""

from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout_status import AttemptState, Phase
from headgate.engine.routing import ArmVersion
from tests.engine.scenes import FLAG, HOUR, at_step, condition
from tests.engine.world import World, prompted, spec

SECOND = timedelta(seconds=1)


def test_time_in_which_a_router_showed_something_else_is_no_time_of_the_hold() -> None:
    world = at_step(10)
    world.run(10 * SECOND)
    shown = world.shown.pop(FLAG)
    world.delivers = False
    world.run(40 * SECOND)
    assert world.phase() is Phase.HOLDING
    world.shown[FLAG], world.delivers = shown, True
    world.run(49 * SECOND)
    assert world.status.weight == 10
    world.run(SECOND)
    assert world.status.weight == 25


def test_more_exposure_is_corrected_at_once_whatever_was_corrected_before() -> None:
    world = at_step(10)
    world.run(SECOND)
    world.shown[FLAG] = replace(world.shown[FLAG], stable=ArmVersion("v7", "sha256:v7"))
    world.settle()
    world.run(SECOND)
    world.shown[FLAG] = replace(world.shown[FLAG], weight=100)
    world.settle()
    assert world.shown[FLAG].weight == 10


def test_what_cannot_be_written_is_no_correction_and_costs_no_patience_later() -> None:
    world = World(spec("v7"))
    world.settle()
    world.problem, world.delivers = "ConfigMap flags, key flags.json is no JSON; repair it", False
    world.shown.pop(FLAG)
    world.run(HOUR)
    assert "DriftCorrected" not in {notice.reason for notice in world.notices}
    world.problem, world.delivers = None, True
    world.settle()
    assert world.exposed() == {"sha256:v7"}


def test_a_router_that_cannot_be_written_keeps_the_spec_from_nothing() -> None:
    world = at_step(10)
    world.problem, world.delivers = "ConfigMap flags, key flags.json is no JSON; repair it", False
    world.annotate("abort", "1")
    world.run(timedelta(minutes=1))
    assert prompted(world) == "v7"
    assert world.status.attempt is not None
    assert world.status.attempt.state is AttemptState.ROLLING_BACK
    assert condition(world, "Stalled") == "True/RouterUnusable"
