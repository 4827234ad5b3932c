"""A Rollout, a status or a version that is lost, made again or not to be had."""

from datetime import timedelta

from headgate.api.rollout_status import Phase, RolloutStatus
from tests.engine.scenes import FLAG, HOUR, at_step, condition
from tests.engine.world import World, spec


def test_a_deleted_and_recreated_rollout_never_makes_a_rejected_version_stable() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    world.release("v8")
    world.settle()
    world.status, world.uid, world.annotations = RolloutStatus(), "uid-2", {}
    world.restart()
    world.run(HOUR)
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.exposed() == {"sha256:v7"}


def test_a_status_lost_in_mid_attempt_is_recovered_from_the_router() -> None:
    world = at_step(50)
    world.status, world.record = RolloutStatus(), None
    world.restart()
    world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.shown[FLAG].weight in {0, 10}


def test_a_version_recreated_with_other_content_is_refused() -> None:
    world = World(spec("v7"))
    world.settle()
    world.add_version("v7", digest="sha256:other")
    world.run(HOUR)
    assert world.phase() is Phase.INVALID
    assert condition(world, "Stalled") == "True/VersionRecreated"
    assert world.exposed() == {"sha256:v7"}


def test_unknown_version_and_family_mismatch_stall_with_a_way_out() -> None:
    world = World(spec("v7"))
    world.settle()
    world.release("v77")
    world.run(timedelta(seconds=2))
    assert condition(world, "Stalled") == "True/VersionNotFound"
    world.add_version("other-1", family="other")
    world.release("other-1")
    world.settle()
    assert condition(world, "Stalled") == "True/FamilyMismatch"
    assert world.exposed() == {"sha256:v7"}


def test_of_two_rollouts_that_claim_a_flag_the_younger_writes_nothing() -> None:
    world = World(spec("v7"))
    world.claimed_by = {FLAG: "elder"}
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.shown == {}
    assert condition(world, "Stalled") == "True/Claimed"
    assert condition(world, "Delivered") == "False/Undelivered"
    assert world.status.stable is None
    assert world.record is None
    assert world.notices == []


def test_a_claimed_flag_is_the_youngers_when_the_older_rollout_is_gone() -> None:
    world = World(spec("v7"))
    world.claimed_by = {FLAG: "elder"}
    world.run(HOUR)
    world.claimed_by = {}
    world.run(HOUR)
    assert world.phase() is Phase.IDLE
    assert world.exposed() == {"sha256:v7"}


def test_a_rollout_deleted_in_mid_attempt_puts_everybody_on_stable() -> None:
    world = at_step(50)
    world.deleting = True
    world.settle()
    assert world.exposed() == {"sha256:v7"}
    assert world.record is not None
