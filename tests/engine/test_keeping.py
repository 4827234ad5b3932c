"""revertSpec: what Git keeps is left alone, and a person reads who keeps it and what to change there."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from headgate.api.rollout_status import AttemptState, Outcome, Phase
from headgate.engine.drift import LONGEST_BACK_OFF
from headgate.engine.routing import ArmVersion
from tests.engine.scenes import HOUR
from tests.engine.target_world import TargetWorld, target_spec
from tests.engine.world import Crash, World, prompted, spec

FIELD = "field/models.example.com/InferenceService/ranker#spec.canaryTrafficPercent"


def rolled_back(revert_spec: str | None, keeper: str | None) -> World:
    """v8 was tried by whom that controller applies for, and a person aborted it."""
    changes = {"rollback": {"revertSpec": revert_spec}} if revert_spec is not None else {}
    world = World(spec("v7", **changes), keeper=keeper)
    world.settle()
    world.release("v8")
    world.settle()
    assert world.status.weight == 10
    world.annotate("abort", "1")
    world.settle()
    return world


def condition(world: World, name: str) -> tuple[str, str, str]:
    """Status, reason and message."""
    known = next(known for known in world.status.conditions if known.type == name)
    return known.status.value, known.reason, known.message


@pytest.mark.parametrize(
    ("revert_spec", "keeper", "asked"),
    [
        (None, None, "v7"),
        (None, "Argo CD", "v8"),
        ("Auto", None, "v7"),
        ("Auto", "Flux", "v8"),
        ("Always", "Argo CD", "v7"),
        ("Always", None, "v7"),
        ("Never", None, "v8"),
        ("Never", "Flux", "v8"),
    ],
)
def test_the_spec_is_restored_or_left_and_everybody_is_back_in_any_case(
    revert_spec: str | None, keeper: str | None, asked: str
) -> None:
    world = rolled_back(revert_spec, keeper)
    assert (prompted(world), world.restores) == (asked, int(asked == "v7"))
    assert world.exposed() == {"sha256:v7"}
    assert (world.phase(), world.status.weight) == (Phase.ROLLED_BACK, 0)
    assert [rejection.digest for rejection in world.status.rejected] == ["sha256:v8"]
    assert world.record is not None
    assert [rejection.digest for rejection in world.record.rejected] == ["sha256:v8"]


def test_condition_and_event_say_who_keeps_it_and_what_to_change() -> None:
    world = rolled_back("Auto", "Argo CD")
    change = "Argo CD keeps this Rollout: change spec.prompt.version from v8 to v7 in Git (headgate git-revert reply)"
    for name, status in (("Stalled", "True"), ("Ready", "False")):
        assert condition(world, name)[:2] == (status, "Rejected")
        assert change in condition(world, name)[2]
        assert "v8 (sha256:v8) was rejected in attempt 1" in condition(world, name)[2]
        assert "headgate retry reply" in condition(world, name)[2]
    (told,) = [notice for notice in world.notices if notice.reason == "RolledBack"]
    assert told.message.endswith(change)


def test_the_way_out_is_of_the_attempt_that_the_condition_speaks_of() -> None:
    world = rolled_back("Auto", None)
    world.release("v9")
    world.settle()
    world.annotate("abort", "2")
    world.settle()
    world.release("v8")
    world.settle()
    assert "v8 (sha256:v8) was rejected in attempt 1" in condition(world, "Stalled")[2]
    assert condition(world, "Stalled")[2].endswith("headgate retry reply --attempt 1")


def test_a_family_that_was_changed_with_the_version_goes_back_with_it() -> None:
    world = World(spec("v7"))
    world.settle()
    world.add_version("w1", family="answer")
    world.release("w1", prompt={"family": "answer", "version": "w1"})
    world.settle()
    assert world.status.weight == 10
    world.annotate("abort", "1")
    world.settle()
    assert world.spec.prompt is not None
    assert (world.spec.prompt.family, world.spec.prompt.version) == ("reply", "v7")
    # What stands there now is good for an empty cluster too.
    elsewhere = World(world.spec)
    elsewhere.settle()
    assert elsewhere.phase() is Phase.IDLE


def test_where_git_keeps_it_the_family_to_put_back_is_said_too() -> None:
    world = World(spec("v7"), keeper="Argo CD")
    world.settle()
    world.add_version("w1", family="answer")
    world.release("w1", prompt={"family": "answer", "version": "w1"})
    world.settle()
    world.annotate("abort", "1")
    world.settle()
    change = "change spec.prompt.version from w1 to v7 and spec.prompt.family from answer to reply in Git"
    assert change in condition(world, "Stalled")[2]


def test_a_family_that_nobody_knows_any_more_is_left_alone() -> None:
    world = World(spec("v7"))
    world.settle()
    world.add_version("w1", family="answer")
    world.release("w1", prompt={"family": "answer", "version": "w1"})
    world.settle()
    del world.versions["v7"]
    world.annotate("abort", "1")
    world.settle()
    assert world.spec.prompt is not None
    assert (world.spec.prompt.family, world.spec.prompt.version) == ("answer", "v7")
    assert world.phase() is Phase.ROLLED_BACK


def test_never_says_so_where_nobody_keeps_it() -> None:
    change = "spec.rollback.revertSpec is Never for this Rollout: change spec.prompt.version from v8 to v7"
    assert change in condition(rolled_back("Never", None), "Stalled")[2]


def test_a_long_reason_hides_neither_the_change_nor_the_command() -> None:
    world = World(spec("v7"), keeper="Flux")
    world.settle()
    world.release("v8")
    world.settle()
    world.memory = replace(world.memory, failing=(1, "quality/errors: " + "too many " * 120))
    world.settle()
    assert "headgate git-revert reply" in condition(world, "Stalled")[2]
    assert "headgate retry reply" in condition(world, "Stalled")[2]
    (told,) = [notice for notice in world.notices if notice.reason == "RolledBack"]
    assert "headgate git-revert reply" in told.message
    assert len(told.message) <= 1000


def test_what_is_left_alone_costs_one_commit_for_the_end_and_none_afterwards() -> None:
    world = World(spec("v7"), keeper="Argo CD")
    world.settle()
    world.release("v8")
    world.settle()
    before = len(world.commits)
    world.annotate("abort", "1")
    world.settle()
    assert [commit.phase for commit in world.commits[before:]] == [Phase.ROLLING_BACK, Phase.ROLLED_BACK]
    commits, notices, written = len(world.commits), len(world.notices), len(world.weights)
    for _ in range(50):
        # Git is applied again and again, and each time is news.
        world.resource_version += 1
        world.run(timedelta(minutes=3))
    world.restart()
    world.run(HOUR)
    assert (len(world.commits), len(world.notices), len(world.weights)) == (commits, notices, written)
    assert world.exposed() == {"sha256:v7"}


@pytest.mark.parametrize("crash", range(1, 9))
def test_a_crash_anywhere_restores_nothing_that_is_kept(crash: int) -> None:
    world = World(spec("v7"), keeper="Argo CD")
    world.settle()
    world.release("v8")
    world.settle()
    world.annotate("abort", "1")
    world.crash_at = world.effects + crash
    try:
        world.settle()
    except Crash:
        world.restart()
        world.settle()
    assert (world.restores, prompted(world), world.exposed()) == (0, "v8", {"sha256:v7"})
    assert world.phase() is Phase.ROLLED_BACK


def test_the_setting_counts_at_once_also_while_the_way_back_is_going_on() -> None:
    world = World(spec("v7", rollback={"revertSpec": "Never"}))
    world.settle()
    world.release("v8")
    world.settle()
    world.delivers = False
    world.annotate("abort", "1")
    world.settle()
    assert (world.phase(), prompted(world)) == (Phase.ROLLING_BACK, "v8")
    world.release("v8", rollback={"revertSpec": "Always"})
    world.delivers = True
    world.run(timedelta(minutes=1))
    assert (world.phase(), prompted(world)) == (Phase.ROLLED_BACK, "v7")


def test_a_controller_that_lets_the_object_go_leaves_the_restore_to_headgate() -> None:
    world = World(spec("v7"), keeper="Argo CD")
    world.settle()
    world.release("v8")
    world.settle()
    world.keeper = None
    world.annotate("abort", "1")
    world.settle()
    assert (prompted(world), world.restores) == ("v7", 1)


def test_a_spec_that_cannot_be_read_is_left_alone() -> None:
    world = World(spec("v7", rollback={"revertSpec": "Always"}))
    world.settle()
    world.release("v8")
    world.settle()
    world.spec_is_readable = False
    world.annotate("abort", "1")
    world.settle()
    assert (world.restores, world.exposed()) == (0, {"sha256:v7"})


def test_once_git_says_the_last_good_version_again_the_rollout_is_ready() -> None:
    world = rolled_back("Auto", "Argo CD")
    world.release("v7")
    world.settle()
    assert condition(world, "Ready")[:2] == ("True", "Idle")
    assert condition(world, "Stalled")[0] == "False"
    assert world.phase() is Phase.IDLE
    world.restart()
    world.run(HOUR)
    assert world.phase() is Phase.IDLE
    world.release("v8")
    world.settle()
    assert condition(world, "Stalled")[:2] == ("True", "Rejected")
    assert world.exposed() == {"sha256:v7"}


def test_the_same_holds_where_it_was_restored_and_written_back_by_git_first() -> None:
    world = rolled_back("Always", "Argo CD")
    assert condition(world, "Stalled")[:2] == ("True", "RolledBack")
    world.release("v8")
    world.settle()
    assert world.restores == 1
    assert "change spec.prompt.version from v8 to v7 in Git" in condition(world, "Stalled")[2]
    world.release("v7")
    world.settle()
    assert condition(world, "Ready")[0] == "True"


def test_the_next_version_in_git_is_tried_although_the_rejected_one_was_left() -> None:
    world = rolled_back("Auto", "Flux")
    world.release("v9")
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.status.stable is not None
    assert world.status.stable.version == "v9"
    assert world.status.attempt is not None
    assert world.status.attempt.still_asked is None


def test_an_attempt_that_is_not_rejected_leaves_no_word_about_git() -> None:
    world = World(spec("v7"), keeper="Argo CD")
    world.settle()
    world.release("v8")
    world.settle()
    world.release("v7")
    world.settle()
    assert world.status.history[0].outcome is Outcome.ABORTED
    assert all("git-revert" not in notice.message for notice in world.notices)
    assert condition(world, "Ready")[0] == "True"


# --- targets: the object's own keeper decides ---


def target_rolled_back(
    *, rollout: str | None = None, kept_by: str | None = None, readable: bool = True, **changes: object
) -> TargetWorld:
    """Model 2 was tried and aborted."""
    world = TargetWorld(target_spec(**changes), keeper=rollout, object_keeper=kept_by)
    world.settle()
    world.edit_object(model="m2")
    world.settle()
    world.spec_is_readable = readable
    world.annotate("abort", "1")
    world.settle()
    assert world.status.attempt is not None
    assert world.status.attempt.state is AttemptState.ENDED
    return world


def test_a_target_is_left_alone_when_it_is_kept_itself_whoever_keeps_the_rollout() -> None:
    left = target_rolled_back(kept_by="Argo CD")
    assert (left.model(), left.restores, left.shown[FIELD].weight) == ("m2", 0, 0)
    change = "Argo CD keeps InferenceService ranker: put spec.model back in Git as in reply-"
    assert change in condition(left, "Stalled")[2]
    assert "headgate git-revert reply" in condition(left, "Stalled")[2]
    restored = target_rolled_back(rollout="Argo CD")
    assert (restored.model(), restored.restores) == ("m1", 1)


def test_always_and_never_hold_for_targets_too() -> None:
    assert target_rolled_back(kept_by="Flux", rollback={"revertSpec": "Always"}).model() == "m1"
    assert target_rolled_back(rollback={"revertSpec": "Never"}).model() == "m2"


def test_a_target_without_a_weight_is_restored_although_it_is_kept() -> None:
    named = {"apiVersion": "models.example.com/v1beta1", "kind": "InferenceService", "name": "ranker"}
    world = target_rolled_back(
        kept_by="Argo CD",
        target={**named, "fields": ["spec.model"], "exposure": "Immediate"},
        delivery=[{"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}}],
    )
    assert (world.model(), world.restores) == ("m1", 1)
    world.edit_object(model="m2")
    world.settle()
    assert "who reads the object has it" in condition(world, "Stalled")[2]
    assert world.restores == 1


@pytest.mark.parametrize(("keeper", "model"), [(None, "m1"), ("Flux", "m2")])
def test_a_spec_that_cannot_be_read_means_auto_for_a_target(keeper: str | None, model: str) -> None:
    assert target_rolled_back(kept_by=keeper, readable=False).model() == model


def test_a_kept_target_is_ready_once_git_says_the_last_good_fields_again() -> None:
    world = target_rolled_back(kept_by="Argo CD")
    world.edit_object(model="m1")
    world.settle()
    assert condition(world, "Ready")[0] == "True"


# --- a weight in Git ---


def test_somebody_who_never_stops_writing_the_weight_turns_no_condition_back_and_forth() -> None:
    world = target_rolled_back(kept_by="Argo CD")
    routing = world.shown[FIELD]
    candidate = ArmVersion(world.version(model="m2"), "sha256:m2")
    before = len(world.commits)
    delivered, corrections = [], 0
    for _ in range(2 * 3600):
        if world.shown[FIELD].candidate is None:
            world.shown[FIELD] = replace(routing, weight=50, candidate=candidate)
        written = len(world.weights)
        world.settle()
        corrections += len(world.weights) - written
        delivered.append(condition(world, "Delivered"))
        world.now += timedelta(seconds=1)
    changes = [one for one, next_one in itertools.pairwise(delivered) if one != next_one]
    assert len(changes) <= 1
    assert delivered[-1][0] == "False"
    assert "Argo CD must not keep it: leave it out of Git" in delivered[-1][2]
    # At once, after 10 s, 20 s and so on up to every 5 min.
    assert corrections <= 7 + 2 * HOUR // LONGEST_BACK_OFF
    assert len(world.commits) - before <= 4
    assert world.restores == 0
