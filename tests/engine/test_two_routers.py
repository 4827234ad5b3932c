"""Two routers of which one fails, and writes of others: nobody is exposed unjudged, and nobody fights for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from headgate.api.rollout_status import Phase
from headgate.engine.routing import ArmVersion
from tests.engine.scenes import FLAG, HOUR, MINUTE, at_step, condition, in_phase, shown
from tests.engine.world import World, spec, value

OTHER = "flag/others/flags.json#reply"
TWO = [
    {"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}},
    {"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "others"}}},
]


def notices(world: World, reason: str) -> int:
    """How often people heard of it."""
    return [notice.reason for notice in world.notices].count(reason)


@pytest.mark.parametrize("weight", [10, 25])
def test_a_router_that_cannot_be_written_keeps_nobody_from_being_judged(weight: int) -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    if weight == 10:
        world.broken = {OTHER}
    world.release("v8")
    assert world.run(HOUR, until=lambda world: world.shown[FLAG].weight == 10)
    world.broken = {OTHER}
    assert world.run(HOUR, until=lambda world: world.shown[FLAG].weight == weight)
    world.run(HOUR)
    assert world.shown[FLAG].weight == weight
    assert condition(world, "Delivered") == "False/Undelivered"

    world.answer = lambda question: value(0.5)
    assert world.run(MINUTE, until=lambda world: world.phase() in {Phase.ROLLING_BACK, Phase.ROLLED_BACK})
    assert world.shown[FLAG].weight == 0
    world.broken = set()
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))
    assert world.exposed() == {"sha256:v7"}


def test_a_step_that_one_router_lacks_is_not_left_and_goes_on_when_it_is_mended() -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    world.broken = {OTHER}
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 10
    world.broken = set()
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert world.shown[OTHER].stable.version == "v8"


def test_a_revert_that_one_router_refuses_is_tried_again_soon_and_is_no_drift() -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    at_rest = world.memory.shown
    world.release("v8")
    world.settle()
    world.memory = replace(world.memory, shown=at_rest)  # as if no watch had told of the first step's writes yet
    world.annotate("abort", "1")
    world.broken = {OTHER}
    world.run(HOUR)
    assert world.phase() is Phase.ROLLING_BACK
    assert world.shown[FLAG].weight == 0
    world.broken = set()
    assert world.run(timedelta(seconds=16), until=in_phase(Phase.ROLLED_BACK))
    assert notices(world, "DriftCorrected") == 0


def test_a_write_that_was_never_seen_to_arrive_is_retried_without_a_back_off() -> None:
    world = World(spec("v7"))
    world.settle()
    for _ in range(4):
        world.release("v8")
        world.settle()
        world.broken = {FLAG}
        world.release("v7")
        world.run(MINUTE)
        world.broken = set()
        assert world.run(timedelta(seconds=16), until=in_phase(Phase.IDLE))
    assert notices(world, "DriftCorrected") == 0


def test_one_of_two_drifts_and_the_other_is_left_alone() -> None:
    world = at_step(25, delivery=TWO)
    world.run(timedelta(seconds=5))
    before = len(world.weights)
    world.shown[OTHER] = replace(world.shown[OTHER], weight=90)
    world.settle()
    assert world.weights[before:] == [25]
    assert world.shown[OTHER].weight == 25


def test_a_correction_of_a_lowering_that_fails_is_tried_again() -> None:
    world = at_step(25)
    world.run(timedelta(seconds=5))
    shown(world, weight=5)
    world.broken = {FLAG}
    world.run(timedelta(seconds=8))
    world.broken = set()
    world.run(timedelta(seconds=20))
    assert world.shown[FLAG].weight == 25


def test_copies_that_somebody_stops_are_put_back_once_and_then_held() -> None:
    steps = [{"name": "shadow", "shadow": "100%", "holdFor": "10m"}, {"weight": 100}]
    world = World(spec("v7", steps=steps))
    world.settle()
    world.release("v8")
    world.run(MINUTE)
    shown(world, shadow=0)
    world.settle()
    assert world.shown[FLAG].shadow == 100
    shown(world, shadow=0)
    world.run(HOUR)
    assert world.shown[FLAG].shadow == 0
    assert world.phase() is Phase.HOLDING


def test_a_write_long_after_the_last_one_is_corrected_without_the_old_back_off() -> None:
    world = World(spec("v7"))
    world.settle()
    foreign = {"weight": 50, "candidate": ArmVersion("v8", "sha256:v8")}
    for _ in range(6):
        shown(world, **foreign)
        world.run(timedelta(minutes=6))
        assert world.shown[FLAG].weight == 0
    world.run(timedelta(days=1))
    shown(world, **foreign)
    world.settle()
    shown(world, **foreign)
    world.run(timedelta(seconds=11))
    assert world.shown[FLAG].weight == 0


def test_a_lagging_revision_is_no_drift_and_nobody_is_fought_over_it() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    for version in ("v8", "v9", "v8", "v9"):
        world.release(version)
        world.run(MINUTE)
    assert notices(world, "DriftCorrected") == 0
    assert condition(world, "Delivered") == "True/Delivered"

    writes = 0
    for _ in range(120):
        if world.shown[FLAG].revision == world.status.revision:
            writes += 1
            shown(world, revision=0)
        world.run(timedelta(seconds=1))
    assert writes <= 6


def test_drift_is_corrected_after_the_clock_was_put_back() -> None:
    world = at_step(10)
    world.run(timedelta(seconds=5))
    for _ in range(2):
        shown(world, weight=90)
        world.run(timedelta(seconds=15))
    shown(world, weight=90)
    world.settle()
    world.now -= timedelta(hours=5)
    shown(world, weight=90)
    world.run(MINUTE)
    assert world.shown[FLAG].weight == 10


def test_a_router_that_an_older_rollout_claims_in_mid_attempt_keeps_no_way_back_open() -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    world.release("v8")
    world.settle()
    world.claimed_by = {OTHER: "elder"}
    world.shown.pop(OTHER)
    world.run(HOUR)
    assert world.status.weight == 10
    assert condition(world, "Delivered") == "False/Undelivered"
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() in {Phase.ROLLED_BACK, Phase.INVALID}
    assert world.shown[FLAG].weight == 0
    assert OTHER not in world.shown


@pytest.mark.parametrize("back", ["abort", "breach", "kill", "deletion"])
def test_a_router_that_an_older_rollout_claims_in_mid_attempt_is_put_back_while_it_shows_the_candidate(
    back: str,
) -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    world.release("v8")
    world.settle()
    world.claimed_by = {OTHER: "elder"}
    world.run(HOUR)
    assert (world.status.weight, world.shown[OTHER].weight) == (10, 10)
    if back == "abort":
        world.annotate("abort", "1")
    elif back == "breach":
        world.answer = lambda question: value(0.5)
    elif back == "kill":
        world.release("v8", killSwitch="Stable")
    else:
        world.deleting = True
    world.run(MINUTE)
    assert (world.shown[FLAG].weight, world.shown[OTHER].weight) == (0, 0)
    assert world.exposed() == {"sha256:v7"}
    elders = ArmVersion("x1", "sha256:x1")
    world.shown[OTHER] = replace(world.shown[OTHER], candidate=elders, weight=30)
    world.run(HOUR)
    assert world.shown[OTHER].weight == 30, "what is the elder's by now is left alone"


def test_fewer_people_who_see_something_else_are_no_lowering() -> None:
    world = at_step(25)
    world.run(timedelta(seconds=5))
    for _ in range(2):
        shown(world, weight=5, candidate=ArmVersion("v9", "sha256:v9"))
        world.run(timedelta(seconds=15))
        assert world.exposed() == {"sha256:v7", "sha256:v8"}


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_router_that_left_the_spec_in_mid_attempt_goes_on_with_it_and_is_told_of_its_end(taken_back: bool) -> None:
    world = World(spec("v7", delivery=TWO))
    world.settle()
    world.release("v8")
    world.settle()
    world.edit(spec("v8", delivery=TWO[:1]))
    assert world.run(HOUR, until=lambda world: world.status.weight == 50)
    assert world.shown[OTHER].weight == 50
    if taken_back:
        world.annotate("abort", "1")
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK if taken_back else Phase.IDLE))
    assert world.shown[OTHER].candidate is None
    assert world.shown[OTHER].weight == 0
    assert world.shown[OTHER].stable.version == ("v7" if taken_back else "v8")
