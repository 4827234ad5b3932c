"""Somebody else writes a router."""

from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout_status import Phase
from headgate.engine.routing import ArmVersion, Routing
from tests.engine.scenes import FLAG, HOUR, at_step, condition, shown
from tests.engine.world import World, spec


def test_a_foreign_write_that_exposes_more_is_always_corrected() -> None:
    world = at_step(10)
    for _ in range(3):
        shown(world, weight=90)
        world.run(timedelta(seconds=50))
        assert world.shown[FLAG].weight == world.status.weight < 90


def test_corrections_of_a_stubborn_writer_back_off() -> None:
    world = World(spec("v7"))
    world.settle()
    writes = 0
    for _ in range(600):
        if world.shown[FLAG].weight == 0:
            writes += 1
            shown(world, weight=50, candidate=ArmVersion("v8", "sha256:v8"))
        world.run(timedelta(seconds=1))
    assert 4 <= writes <= 10


def test_a_foreign_write_that_lowers_is_corrected_once_and_then_held() -> None:
    world = at_step(25)
    world.run(timedelta(seconds=5))
    shown(world, weight=5)
    world.settle()
    assert world.shown[FLAG].weight == 25
    shown(world, weight=5)
    world.run(HOUR)
    assert world.shown[FLAG].weight == 5
    assert world.phase() is Phase.HOLDING
    assert condition(world, "Delivered") == "False/Undelivered"


def test_a_rejected_digest_on_a_router_is_corrected_at_rest() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    before: Routing = world.shown[FLAG]
    world.shown[FLAG] = replace(before, weight=100, candidate=ArmVersion("v8", "sha256:v8"))
    world.settle()
    assert world.exposed() == {"sha256:v7"}
