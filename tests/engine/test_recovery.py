"""Lost, old and foreign state: what outlives a status is taken up, and nothing rejected ever becomes stable by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import Outcome, Phase, RolloutStatus
from headgate.engine.routing import ArmVersion
from tests.engine.scenes import FLAG, HOUR, about_to_be_promoted, at_step, condition, in_phase, shown
from tests.engine.world import Crash, World, prompted, spec, value


def recreated(world: World, version: str) -> None:
    """The Rollout was deleted and is applied again with that version."""
    world.status, world.uid, world.annotations = RolloutStatus(), f"{world.uid}'", {}
    world.restart()
    world.release(version)


def test_an_old_status_whose_attempt_was_promoted_meanwhile_rejects_nobodys_stable() -> None:
    world = at_step(100)
    old = world.status
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    world.status = old
    world.restart()
    world.run(HOUR)
    assert world.status.stable is not None
    assert world.status.stable.version == "v8"
    assert not world.status.rejected
    assert world.status.history[0].outcome is Outcome.PROMOTED
    assert world.exposed() == {"sha256:v8"}
    assert prompted(world) == "v8"


def test_an_old_status_whose_attempt_was_taken_back_meanwhile_exposes_nobody() -> None:
    world = at_step(25)
    old = world.status
    world.annotate("abort", "1")
    world.settle()
    world.release("v8")
    world.annotations.clear()
    world.status = old
    world.restart()
    world.run(HOUR)
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
    assert world.exposed() == {"sha256:v7"}


def test_a_router_ahead_that_names_no_stable_version_is_recovered_from_once() -> None:
    world = at_step(25)
    before = world.status.revision
    world.shown[FLAG] = replace(world.shown[FLAG], revision=before + 40, stable=ArmVersion("v7", "sha256:v7"))
    world.names_stable = False
    world.run(HOUR)
    assert world.status.revision > before + 40
    assert [notice.reason for notice in world.notices].count("Recovered") == 1


def test_no_router_makes_a_rejected_version_stable() -> None:
    world = at_step(25)
    world.annotate("abort", "1")
    world.settle()
    world.shown[FLAG] = replace(world.shown[FLAG], revision=900, stable=ArmVersion("v8", "sha256:v8"))
    world.run(HOUR)
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.exposed() == {"sha256:v7"}

    world.shown[FLAG] = replace(world.shown[FLAG], revision=1900, stable=ArmVersion("v8", "sha256:v8"))
    recreated(world, "v8")
    world.run(HOUR)
    assert world.status.stable.version == "v7"
    assert world.exposed() == {"sha256:v7"}


def test_numbers_of_lost_attempts_are_not_given_again() -> None:
    world = at_step(10)
    for version in ("v9", "v8", "v9"):
        world.release(version)
        world.settle()
    assert world.status.attempts == 4
    world.status = RolloutStatus()
    world.restart()
    world.release("v8")
    world.annotate("promote", "2")
    world.annotate("abort", "4")
    world.run(timedelta(seconds=5))
    assert world.status.attempt is not None
    assert world.status.attempt.number > 4
    assert world.status.weight == 10
    assert world.status.attempt.promoted is None


def test_numbers_are_not_given_again_however_often_a_rollout_is_applied_again() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    world.annotate("retry", "1")
    for _ in range(2):
        world.deleting = True
        world.settle()
        world.deleting = False
        recreated(world, "v7")
        world.settle()
    # As a manifest that is kept in Git has it.
    world.annotate("retry", "1")
    world.answer = lambda question: value(0.5)
    world.release("v9")
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    world.release("v9")
    world.run(HOUR)
    assert [(entry.version, entry.number) for entry in world.status.history] == [("v9", 2)]


def test_the_older_rollouts_router_says_nothing_of_the_younger_one() -> None:
    world = World(spec("v7"))
    world.settle()
    world.claimed_by = {FLAG: "elder"}
    shown(world, revision=500, stable=ArmVersion("x1", "sha256:x1"))
    world.run(HOUR)
    assert world.status.revision < 500
    recreated(world, "v9")
    world.record = None
    world.run(HOUR)
    assert world.status.stable is None


def test_a_promotion_that_was_put_on_record_and_then_overtaken_by_an_abort_leaves_no_trace() -> None:
    world = about_to_be_promoted()

    def abort(world: World) -> None:
        world.annotate("abort", "1")

    world.before_commit = abort
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert world.record is not None
    assert world.record.stable is not None
    assert world.record.stable.version == "v7"
    assert [rejection.version for rejection in world.record.rejected] == ["v8"]

    recreated(world, "v8")
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


def overtaken_by_an_abort(dies_after: int) -> World:
    """A promotion is on record when an abort overtakes it, and the operator dies after so many writes more."""
    world = about_to_be_promoted()

    def abort(world: World) -> None:
        world.annotate("abort", "1")
        world.crash_at = world.effects + dies_after

    world.before_commit = abort
    with pytest.raises(Crash):
        world.run(HOUR)
    world.crash_at = None
    assert world.phase() is Phase.ROLLING_BACK
    return world


def test_a_promotion_overtaken_by_an_abort_is_not_believed_where_the_operator_died_before_it_was_off_the_record() -> (
    None
):
    # It dies when the way back is committed and delivered, and before anything else is written.
    world = overtaken_by_an_abort(dies_after=3)
    recreated(world, "v7")
    world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert world.status.attempt is None
    assert world.exposed() == {"sha256:v7"}


def test_nor_where_it_died_before_the_way_back_was_delivered_and_who_comes_next_goes_through_the_steps() -> None:
    # It dies when the way back is committed, and before anything else is written.
    world = overtaken_by_an_abort(dies_after=2)
    assert world.shown[FLAG].weight == 100
    recreated(world, "v8")
    world.settle()
    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.weight) == ("v7", 10)


def test_a_router_older_or_newer_than_the_record_says_nothing_against_it() -> None:
    world = at_step(25)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert world.record is not None
    for other in (-1, 1):
        shown(world, revision=world.record.revision + other, stable=ArmVersion("v7", "sha256:v7"))
        recreated(world, "v8")
        world.settle()
        assert world.status.stable is not None
        assert world.status.stable.version == "v8"


def test_a_rollout_deleted_with_a_promotion_in_hand_leaves_the_stable_that_it_had() -> None:
    world = about_to_be_promoted()

    def delete(world: World) -> None:
        world.deleting = True
        world.resource_version += 1

    world.before_commit = delete
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}
    assert world.record is not None
    assert world.record.stable is not None
    assert world.record.stable.version == "v7"


def test_a_rollout_deleted_after_a_fail_that_was_not_committed_has_it_on_record() -> None:
    world = at_step(25)
    world.answer = lambda question: value(0.5)

    def delete(world: World) -> None:
        world.deleting = True
        world.resource_version += 1

    world.before_commit = delete
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}
    assert world.record is not None
    assert [rejection.version for rejection in world.record.rejected] == ["v8"]


def test_a_rollout_deleted_without_a_status_puts_everybody_on_stable() -> None:
    world = at_step(50)
    world.status = RolloutStatus()
    world.restart()
    world.deleting = True
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}
    assert world.record is not None
    assert world.record.revision == world.shown[FLAG].revision


def test_a_rollout_deleted_under_an_old_status_keeps_its_rejection_and_why() -> None:
    world = at_step(25)
    old = world.status
    world.annotate("abort", "1")
    world.settle()
    world.status = old
    world.restart()
    world.deleting = True
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}
    assert world.record is not None
    assert [(rejection.version, rejection.reason) for rejection in world.record.rejected] == [
        ("v8", "aborted by annotation '1'")
    ]


def test_a_rollout_deleted_under_an_old_status_leaves_everybody_on_what_was_promoted_since() -> None:
    world = at_step(100)
    old = world.status
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    world.weights.clear()
    world.status = old
    world.restart()
    world.deleting = True
    world.run(HOUR)
    assert world.exposed() == {"sha256:v8"}
    assert world.record is not None
    assert world.record.stable is not None
    assert world.record.stable.version == "v8"
    assert not world.record.rejected


def test_a_rollout_deleted_in_mid_attempt_rejects_nothing_by_its_own_writes() -> None:
    world = at_step(25)
    world.deleting = True
    world.run(HOUR)
    world.restart()
    world.deleting = False
    recreated(world, "v8")
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert world.exposed() == {"sha256:v8"}


def test_a_rollout_deleted_while_a_router_is_ahead_of_it_is_not_fenced_off() -> None:
    world = at_step(50)
    shown(world, revision=world.status.revision + 7)
    world.deleting = True
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


def test_a_way_back_delivered_before_its_commit_keeps_its_reason_over_a_restart_of_the_watch() -> None:
    world = at_step(25)
    world.answer = lambda question: value(0.5)
    world.commits_fail = 4
    world.run(timedelta(seconds=20), until=lambda world: world.exposed() == {"sha256:v7"})
    assert world.status.weight == 25
    world.edit(RolloutSpec.model_validate(world.spec.model_dump(by_alias=True, exclude_unset=True) | {"paused": True}))
    world.commits_fail = 0
    world.run(HOUR)
    assert world.phase() is Phase.ROLLED_BACK
    assert "errors" in world.status.rejected[0].reason


def test_neither_manifest_nor_spec_ends_no_way_back_unseen() -> None:
    world = at_step(25)
    world.manifests.clear()
    world.run(timedelta(minutes=2))
    readable = world.spec
    world.annotate("abort", "1")
    world.delivers = False
    world.run(timedelta(seconds=5))
    world.spec_is_readable = False
    world.run(HOUR)
    assert world.phase() is Phase.ROLLING_BACK
    world.spec_is_readable, world.delivers, world.spec = True, True, readable
    world.run(timedelta(minutes=1))
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}


def test_a_manifest_that_is_put_back_lets_the_attempt_go_on() -> None:
    world = at_step(25)
    kept = dict(world.manifests)
    world.manifests.clear()
    world.run(HOUR)
    assert world.status.weight == 25
    assert world.phase() is Phase.HOLDING
    world.manifests.update(kept)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))


def test_a_status_that_lost_its_stable_version_in_mid_attempt_takes_it_from_the_manifest() -> None:
    world = at_step(25)
    world.record, world.names_stable = None, False
    world.status = world.status.model_copy(update={"stable": None})
    world.restart()
    world.run(HOUR)
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
    assert world.exposed() == {"sha256:v7"}


def test_a_rejected_version_is_never_the_first_one() -> None:
    world = at_step(25)
    world.annotate("abort", "1")
    world.settle()
    world.release("v8")
    world.run(HOUR)
    world.record, world.names_stable = None, False
    world.status = world.status.model_copy(update={"stable": None})
    world.restart()
    world.run(HOUR)
    assert world.phase() is Phase.ROLLED_BACK
    assert condition(world, "Stalled") == "True/Rejected"
    assert world.exposed() == {"sha256:v7"}
    world.release("v7")
    world.settle()
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"


def test_no_router_names_a_rejected_version_to_a_status_that_lost_its_own() -> None:
    world = at_step(25)
    world.annotate("abort", "1")
    world.settle()
    world.record = None
    world.status = world.status.model_copy(update={"stable": None})
    shown(world, stable=ArmVersion("v8", "sha256:v8"), revision=900)
    world.restart()
    world.commits.clear()
    world.run(HOUR)
    assert {commit.stable.version for commit in world.commits if commit.stable is not None} == {"v7"}
    assert world.exposed() == {"sha256:v7"}
