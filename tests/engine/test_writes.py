"""What is written, how often, and what becomes of a write that did not come about."""

from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout_status import Phase
from tests.engine.scenes import FLAG, HOUR, at_step, condition, condition_of, in_phase
from tests.engine.world import START, World, spec


def test_a_whole_rollout_costs_few_commits_and_rest_costs_none() -> None:
    world = World(spec("v7"))
    world.settle()
    world.commits.clear()
    world.release("v8")
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert len(world.commits) <= 8
    world.run(timedelta(days=30))
    assert len(world.commits) <= 8
    assert world.due is None


def test_a_long_hold_costs_at_most_one_write_after_its_delivery() -> None:
    world = at_step(10, steps=[{"weight": 10, "holdFor": "3d"}, {"weight": 100}])
    commits = len(world.commits)
    world.run(timedelta(hours=12))
    assert len(world.commits) - commits <= 2
    assert world.status.attempt is not None
    assert world.status.attempt.step is not None
    assert world.status.attempt.step.delivered_at == START


def test_a_restart_in_a_hold_does_not_start_the_hold_again() -> None:
    world = at_step(10, steps=[{"weight": 10, "holdFor": "1h"}, {"weight": 100}])
    world.run(timedelta(minutes=30))
    world.restart()
    assert world.run(timedelta(minutes=31), until=lambda world: world.status.weight == 100)


def test_the_way_back_ends_only_when_every_router_was_seen_at_zero() -> None:
    world = at_step(50)
    world.delivers = False
    world.annotate("abort", "1")
    world.run(HOUR)
    assert world.phase() is Phase.ROLLING_BACK
    assert world.status.rejected[0].version == "v8"
    assert world.status.weight == 0
    world.delivers = True
    world.run(timedelta(seconds=30))
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}


def test_a_crash_between_a_commit_and_its_delivery_is_made_good_after_the_restart() -> None:
    world = at_step(10)
    world.delivers = False
    world.run(HOUR, until=lambda world: world.status.weight == 25)
    assert world.shown[FLAG].weight == 10
    world.delivers = True
    world.restart()
    world.settle()
    assert world.shown[FLAG].weight == 25


def test_a_version_that_arrives_a_moment_after_the_rollout_is_no_problem() -> None:
    world = World(spec("v7"))
    world.settle()
    late = world.versions.pop("v8")
    commits = len(world.commits)
    world.release("v8")
    world.run(timedelta(seconds=1))
    world.versions["v8"] = late
    world.settle()
    assert world.status.weight == 10
    assert all(condition_of(commit, "Stalled") == "False" for commit in world.commits[commits:])


def test_an_edit_of_the_delivery_at_rest_is_no_drift() -> None:
    world = World(spec("v7"))
    world.settle()
    flag = {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}, "salt": "another"}
    world.edit(spec("v7", delivery=[{"flag": flag}]))
    world.shown[FLAG] = replace(world.shown[FLAG], weight=1)
    world.settle()
    assert "DriftCorrected" not in {notice.reason for notice in world.notices}


def test_a_router_that_was_deleted_keeps_no_way_back_open() -> None:
    world = at_step(25)
    world.delivers = False
    world.shown.clear()
    world.absent = True
    world.annotate("abort", "1")
    world.run(HOUR)
    assert world.phase() is Phase.ROLLED_BACK


def test_a_router_that_a_person_must_mend_stalls_the_rollout_by_name_and_goes_on_when_mended() -> None:
    world = World(spec("v7"))
    world.settle()
    world.problem, world.delivers = "ConfigMap flags, key flags.json is no JSON; repair it", False
    world.release("v8")
    world.run(HOUR)
    assert condition(world, "Stalled") == "True/RouterUnusable"
    stalled = next(known for known in world.status.conditions if known.type == "Stalled")
    assert "ConfigMap flags" in stalled.message
    assert world.exposed() == {"sha256:v7"}
    world.problem, world.delivers = None, True
    world.settle()
    assert world.status.weight == 10
    assert condition(world, "Stalled") == "False/NotStalled"
