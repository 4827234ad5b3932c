"""A target as the subject: its own edit is the release, its own content is what a revert puts back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from headgate.api.rollout_status import AttemptState, Outcome, Phase
from headgate.engine.decision import NoticeKind
from headgate.engine.target import NOT_ALLOWED
from tests.engine.scenes import HOUR
from tests.engine.target_world import TargetWorld, target_spec
from tests.engine.world import Crash, spec, value

ROUTER = "field/models.example.com/InferenceService/ranker#spec.canaryTrafficPercent"


@pytest.fixture
def world() -> TargetWorld:
    """Model 1 is stable."""
    world = TargetWorld(target_spec())
    world.settle()
    return world


def started(world: TargetWorld, model: str = "m2") -> TargetWorld:
    """An attempt of another model is in its first step."""
    world.edit_object(model=model)
    world.settle()
    assert world.shown[ROUTER].weight == 10
    return world


def stalled(world: TargetWorld) -> tuple[str, str]:
    """Reason and message of Stalled, where it holds."""
    (found,) = [each for each in world.status.conditions if each.type == "Stalled" and each.status.value == "True"]
    return found.reason, found.message


def test_what_the_object_holds_first_is_stable_and_exposes_nobody(world: TargetWorld) -> None:
    stable = world.status.stable
    assert stable is not None
    assert stable.target is not None
    assert (stable.version, stable.target.uid) == (world.version(model="m1"), "object-1")
    assert (world.shown[ROUTER].weight, world.phase()) == (0, Phase.IDLE)


def test_an_edit_goes_through_every_step_and_becomes_stable(world: TargetWorld) -> None:
    world.edit_object(model="m2")
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.status.stable is not None
    assert world.status.stable.version == world.version(model="m2")
    assert world.status.stable.target is not None
    assert list(dict.fromkeys(world.weights)) == [0, 10, 25, 50, 100]
    assert world.shown[ROUTER].weight == 0


def test_a_bad_edit_is_put_back_exactly(world: TargetWorld) -> None:
    started(world)
    world.edit_object(replicas=3)
    world.answer = lambda _question: value(0.5)
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.ROLLED_BACK)
    assert world.ranker == {"spec": {"model": "m1", "replicas": 3}}
    assert world.restores == 1
    assert [rejection.version for rejection in world.status.rejected] == [world.version(model="m2")]


def test_a_field_that_stable_lacked_is_removed_again() -> None:
    world = TargetWorld(target_spec(), ranker={"spec": {"replicas": 1}})
    world.settle()
    started(world)
    world.annotate("abort", "1")
    world.settle()
    assert world.ranker == {"spec": {"replicas": 1}}


def test_an_edit_of_anything_else_is_no_attempt(world: TargetWorld) -> None:
    world.edit_object(replicas=3)
    world.settle()
    assert world.status.attempt is None


def test_a_newer_edit_supersedes_and_starts_at_the_first_step(world: TargetWorld) -> None:
    started(world)
    world.edit_object(model="m3")
    world.settle()
    assert world.status.history[0].outcome is Outcome.SUPERSEDED
    assert world.status.attempt is not None
    assert (world.status.attempt.number, world.status.weight, world.status.rejected) == (2, 10, [])
    assert world.model() == "m3"


def test_the_good_model_written_back_by_hand_aborts(world: TargetWorld) -> None:
    started(world)
    world.edit_object(model="m1")
    world.settle()
    assert (world.status.history[0].outcome, world.restores) == (Outcome.ABORTED, 0)
    assert world.status.history[0].reason == "InferenceService ranker is back at stable"


def test_a_rejected_model_that_is_written_back_moves_and_writes_nothing(world: TargetWorld) -> None:
    started(world)
    world.annotate("abort", "1")
    world.settle()
    world.edit_object(model="m2")
    world.settle()
    before = (len(world.commits), len(world.weights), world.restores)
    for round_ in range(20):
        world.edit_object(replicas=round_)
        world.settle()
        world.now += timedelta(seconds=2)
    assert (len(world.commits), len(world.weights), world.restores) == before


def test_a_target_deleted_in_mid_attempt_ends_it_and_nothing_is_restored(world: TargetWorld) -> None:
    started(world)
    world.ranker, world.absent = None, True
    world.shown.clear()
    world.settle()
    assert world.status.history[0].outcome is Outcome.ABORTED
    assert world.status.history[0].reason == "the target InferenceService ranker was deleted"
    assert world.restores == 0


def test_a_target_that_is_created_again_has_a_first_version_again(world: TargetWorld) -> None:
    started(world)
    world.create_again("m3")
    world.settle()
    stable = world.status.stable
    assert stable is not None
    assert stable.target is not None
    assert (stable.version, stable.target.uid) == (world.version(model="m3"), "object-1-again")
    assert world.status.history[0].reason == "the target InferenceService ranker was deleted and created again"
    assert [notice.kind for notice in world.notices if notice.reason == "TargetReplaced"] == [NoticeKind.WARNING]
    assert world.shown[ROUTER].weight == 0


def test_a_rejected_model_in_a_new_object_does_not_become_stable(world: TargetWorld) -> None:
    started(world)
    world.annotate("abort", "1")
    world.settle()
    world.create_again("m2")
    world.settle()
    assert stalled(world)[0] == "Rejected"
    assert world.status.stable is not None
    assert world.status.stable.version == world.version(model="m1")


def test_another_subject_in_mid_attempt_ends_it(world: TargetWorld) -> None:
    started(world)
    flag = {"flag": {"name": "f", "key": "k", "configMap": {"name": "flags"}}}
    world.edit(spec("v7", delivery=[flag]))
    world.settle()
    assert world.status.history[0].outcome is Outcome.ABORTED
    assert world.shown[ROUTER].weight == 0
    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.stable.target) == ("v7", None)


def test_a_restore_that_is_refused_stalls_with_its_words_and_is_tried_again_ever_later(world: TargetWorld) -> None:
    started(world)
    world.refuses = "spec.model: Invalid value"
    world.annotate("abort", "1")
    world.settle()
    stable = world.status.stable
    assert stable is not None
    how = f"it is tried again until something else is asked for: put spec.model back as in {stable.version}"
    assert stalled(world) == ("RestoreRefused", f"spec.model: Invalid value; {how}")
    assert (world.shown[ROUTER].weight, world.phase(), world.model()) == (0, Phase.ROLLING_BACK, "m2")
    first = world.restores
    world.run(timedelta(minutes=30))
    assert 5 <= world.restores - first <= 15
    commits = len(world.commits)
    world.run(HOUR)
    assert len(world.commits) == commits
    world.refuses = None
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.ROLLED_BACK)
    assert world.model() == "m1"


IMMEDIATE: dict[str, object] = {
    "target": {**target_spec().model_dump(by_alias=True, exclude_unset=True)["target"], "exposure": "Immediate"},
    "delivery": [{"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}}],
}


def on_its_way_back(refuses: str, **changes: object) -> TargetWorld:
    """Model 2 is rejected, and everybody who reads the object has it still, for a restore is refused."""
    world = TargetWorld(target_spec(**IMMEDIATE, **changes))
    world.settle()
    world.edit_object(model="m2")
    world.settle()
    world.refuses = refuses
    world.annotate("abort", "1")
    world.settle()
    assert (world.phase(), world.model()) == (Phase.ROLLING_BACK, "m2")
    return world


def test_a_rollout_that_is_deleted_on_its_way_back_puts_its_target_back_all_the_same() -> None:
    world = on_its_way_back("a webhook is down for a moment")
    world.deleting = True
    world.settle()
    world.refuses = None
    world.run(timedelta(minutes=10))
    assert world.model() == "m1"
    assert world.record is not None
    assert [known.attempt for known in world.record.rejected] == [1]


def test_what_was_seen_to_fail_is_put_back_where_the_rollout_is_deleted_before_its_way_back_began() -> None:
    world = TargetWorld(target_spec(**IMMEDIATE))
    world.settle()
    world.edit_object(model="m2")
    world.settle()
    world.memory = replace(world.memory, failing=(1, "too many errors"))
    world.deleting = True
    world.settle()
    assert world.model() == "m1"


def test_the_target_of_a_deleted_rollout_is_not_tried_to_be_put_back_without_end() -> None:
    world = on_its_way_back("no model but m2")
    world.deleting = True
    world.run(HOUR)
    tried = world.restores
    assert 5 <= tried <= 20
    world.run(HOUR)
    assert (world.restores, world.due, world.model()) == (tried, None, "m2")


@pytest.mark.parametrize("model", ["m1", "m3"])
def test_what_a_person_put_into_the_target_of_a_deleted_rollout_stays_there(model: str) -> None:
    world = on_its_way_back("a webhook is down for a moment")
    world.deleting = True
    world.edit_object(model=model)
    world.refuses = None
    world.run(HOUR)
    assert (world.model(), world.due) == (model, None)


def test_a_deleted_rollout_leaves_a_target_alone_that_it_would_have_left_alone_before() -> None:
    world = TargetWorld(target_spec(**IMMEDIATE, rollback={"revertSpec": "Never"}))
    world.settle()
    world.edit_object(model="m2")
    world.settle()
    world.delivers = False
    world.annotate("abort", "1")
    world.settle()
    world.deleting, world.delivers = True, True
    world.run(HOUR)
    assert (world.restores, world.model()) == (0, "m2")


@pytest.mark.parametrize("now", ["releaser", None])
def test_another_account_in_the_spec_is_asked_at_once_to_restore(now: str | None) -> None:
    world = TargetWorld(target_spec(serviceAccountName="deployer"))
    world.settle()
    started(world)
    world.refuses = "deployer may not"
    world.annotate("abort", "1")
    world.run(timedelta(minutes=30))
    assert world.phase() is Phase.ROLLING_BACK
    world.refuses = None
    world.edit(world.spec.model_copy(update={"service_account_name": now}))
    world.settle()
    assert (world.phase(), world.model()) == (Phase.ROLLED_BACK, "m1")


def test_a_target_that_is_not_allowed_stalls_and_holds_an_attempt(world: TargetWorld) -> None:
    started(world)
    world.unseen = (NOT_ALLOWED, "add it to the configuration")
    world.run(HOUR)
    assert stalled(world) == (NOT_ALLOWED, "add it to the configuration")
    assert world.status.attempt is not None
    assert world.status.attempt.state is AttemptState.STEPPING
    assert world.status.weight == 10


def test_other_declared_fields_are_no_release_while_the_content_is_stables(world: TargetWorld) -> None:
    world.edit(target_spec("spec.model", "spec.runtime"))
    world.settle()
    stable = world.status.stable
    assert stable is not None
    assert stable.target is not None
    assert (world.status.attempt, stable.target.fields) == (None, ["spec.model", "spec.runtime"])
    world.edit_object(runtime="triton")
    world.settle()
    assert world.status.weight == 10


def test_what_is_stable_by_other_fields_is_not_rejected_any_more_once_those_are_declared_again(
    world: TargetWorld,
) -> None:
    started(world)
    world.annotate("abort", "1")
    world.settle()
    rejected = world.version(model="m2")
    assert [rejection.version for rejection in world.status.rejected] == [rejected]
    world.edit(target_spec("spec.model", "spec.runtime"))
    world.settle()
    world.edit_object(model="m2")
    assert world.run(HOUR, until=lambda world: world.status.attempts == 2 and world.phase() is Phase.IDLE)
    world.edit(target_spec())
    world.settle()
    assert world.status.stable is not None
    assert (world.status.stable.version, world.status.rejected) == (rejected, [])
    assert world.record is not None
    assert (world.record.stable, world.record.rejected) == (world.status.stable, [])
    (_, told) = [notice.message for notice in world.notices if notice.reason == "FieldsDeclared"]
    assert told.endswith(f"stable as {rejected}; its rejection in attempt 1 is lifted")
    # So it may be tried again once something else is stable.
    world.edit_object(model="m3")
    assert world.run(HOUR, until=lambda world: world.status.attempts == 3 and world.phase() is Phase.IDLE)
    world.edit_object(model="m2")
    world.settle()
    assert world.status.weight == 10


def test_fields_declared_in_mid_attempt_count_from_the_next(world: TargetWorld) -> None:
    started(world)
    world.edit(target_spec("spec.model", "spec.runtime"))
    world.settle()
    assert world.status.history == []
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.status.stable is not None
    assert world.status.stable.target is not None
    assert world.status.stable.target.fields == ["spec.model", "spec.runtime"]
    assert world.status.attempts == 1


@pytest.mark.parametrize("crash_at", range(1, 14))
def test_a_crash_anywhere_on_the_way_back_ends_where_a_clean_run_does(crash_at: int) -> None:
    world = TargetWorld(target_spec())
    world.settle()
    started(world)
    world.annotate("abort", "1")
    world.effects, world.crash_at = 0, crash_at
    try:
        world.settle()
    except Crash:
        world.crash_at = None
        world.restart()
        world.settle()
    assert (world.phase(), world.model(), world.shown[ROUTER].weight) == (Phase.ROLLED_BACK, "m1", 0)
