"""The rules of the engine, each as the person on call would meet it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from headgate.api.rollout_status import AttemptState, Outcome, Phase, RolloutStatus, VerdictKind
from headgate.engine.evidence import Arm, Question, Reading, ReadingKind
from headgate.engine.observation import GateView
from headgate.engine.routing import ArmVersion, Routing
from tests.engine.world import ERROR, NO_DATA, START, World, gate, prompted, spec, value

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FLAG = "flag/flags/flags.json#reply"


def at_step(weight: int, **changes: object) -> World:
    """A world whose attempt of v8 has just reached that weight."""
    world = World(spec("v7", **changes))
    world.settle()
    world.release("v8")
    assert world.run(HOUR, until=lambda world: world.status.weight == weight)
    return world


def about_to_be_promoted() -> World:
    """A world whose attempt of v8 holds its last step and needs no bake after it."""
    steps = [{"weight": 10, "holdFor": "1m"}, {"weight": 100, "holdFor": "1m"}]
    return at_step(100, steps=steps, bakeFor=None)


def in_phase(phase: Phase) -> Callable[[World], bool]:
    """A condition to run a world until."""
    return lambda world: world.phase() is phase


def condition(world: World, name: str) -> str:
    """``status/reason`` of a condition."""
    known = next(known for known in world.status.conditions if known.type == name)
    return f"{known.status.value}/{known.reason}"


def condition_of(status: RolloutStatus, name: str) -> str:
    """The status of a condition."""
    return next(known.status.value for known in status.conditions if known.type == name)


def shown(world: World, **changes: object) -> None:
    """Somebody else writes the router."""
    world.shown[FLAG] = replace(world.shown[FLAG], **changes)  # type: ignore[arg-type]


# --- steps and gates ---


def test_a_step_is_left_only_after_its_hold() -> None:
    world = at_step(10)
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    world.run(timedelta(seconds=1))
    assert world.status.weight == 25


def test_an_undelivered_step_is_never_left_and_its_clock_does_not_run() -> None:
    world = World(spec("v7"))
    world.settle()
    world.delivers = False
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.status.attempt is not None
    assert world.status.attempt.exposed_at is None
    assert condition(world, "Delivered") == "False/Undelivered"

    world.delivers = True
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    world.run(timedelta(seconds=1))
    assert world.status.weight == 25


@pytest.mark.parametrize("answer", [ERROR, NO_DATA, value(0.01, samples=3), Reading(ReadingKind.VALUE, None, 0)])
def test_without_good_evidence_it_holds_for_ever_and_reverts_nobody(answer: Reading) -> None:
    world = at_step(10)
    world.answer = lambda question: answer
    world.run(timedelta(hours=12))
    assert world.status.weight == 10
    assert world.phase() is Phase.HOLDING
    assert not world.status.rejected
    assert len(world.commits) < 12


def test_the_first_step_waits_for_a_gate_that_is_missing_and_goes_on_when_it_appears() -> None:
    world = World(spec("v7"))
    world.gates.clear()
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.phase() is Phase.VERIFYING
    assert world.status.weight == 0
    assert world.status.attempt is not None
    assert "QualityGate 'quality' does not exist" in world.status.attempt.reason

    world.gates["quality"] = GateView("quality", gate())
    world.settle()
    assert world.status.weight == 10


def test_a_gate_that_is_not_ready_or_lacks_an_argument_exposes_nobody() -> None:
    world = World(spec("v7", gates=[{"name": "quality"}]))
    world.settle()
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.status.attempt is not None
    assert "args.app" in world.status.attempt.reason


def test_an_approval_lets_the_step_be_entered_and_only_of_this_attempt() -> None:
    steps = [
        {"weight": 10, "holdFor": "1m"},
        {"name": "beta", "weight": 50, "holdFor": "1m", "approval": "Required"},
        {"weight": 100},
    ]
    world = at_step(10, steps=steps)
    world.annotate("approve", "7/beta")
    world.run(HOUR)
    assert world.phase() is Phase.AWAITING_APPROVAL
    assert world.status.weight == 10

    world.annotate("approve", "1/beta")
    world.settle()
    assert world.status.weight == 50


def test_a_shadow_step_exposes_nobody_and_counts_as_exposure_for_the_evidence() -> None:
    steps = [{"name": "shadow", "shadow": "100%", "holdFor": "10m"}, {"weight": 100}]
    world = World(spec("v7", steps=steps))
    world.settle()
    world.release("v8")
    world.run(MINUTE)
    assert world.phase() is Phase.SHADOWING
    assert world.shown[FLAG].shadow == 100
    assert world.exposed() == {"sha256:v7"}
    assert world.status.attempt is not None
    assert world.status.attempt.exposed_at is not None


def test_paused_stops_rises_only() -> None:
    world = at_step(10)
    world.edit(spec("v8", paused=True))
    world.run(HOUR)
    assert world.status.weight == 10
    assert world.phase() is Phase.PAUSED
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))


def test_edits_to_steps_and_gates_count_from_the_next_attempt() -> None:
    world = at_step(10)
    world.edit(spec("v8", steps=[{"weight": 100}], gates=[]))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "0"}))
    world.answer = lambda question: value(0.01)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert [weight for weight in world.weights if weight] == [10, 25, 50, 100]


def test_the_bake_is_judged_and_reverted() -> None:
    world = at_step(100)
    assert world.run(HOUR, until=in_phase(Phase.BAKING))
    assert world.status.stable is not None
    assert world.status.stable.version == "v7"
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert world.exposed() == {"sha256:v7"}


# --- verdicts ---


def test_a_breach_with_for_blocks_first_and_acts_when_it_persists() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "for": "40s"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=30))
    assert world.status.verdicts[0].verdict is VerdictKind.BREACHING
    assert world.status.weight == 10
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))


def test_silence_neither_resets_nor_advances_a_breach() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "for": "40s"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=31))
    world.answer = lambda question: ERROR
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    world.answer = lambda question: value(0.2)
    world.run(timedelta(seconds=10))
    assert world.phase() is not Phase.ROLLED_BACK
    assert world.run(timedelta(seconds=30), until=in_phase(Phase.ROLLED_BACK))


@pytest.mark.parametrize(("on_no_data", "phase"), [("Rollback", Phase.ROLLED_BACK), ("Pause", Phase.PAUSED)])
def test_no_data_acts_only_after_the_hold(on_no_data: str, phase: Phase) -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(onNoData=on_no_data))
    world.settle()
    world.release("v8")
    world.answer = lambda question: NO_DATA
    world.run(timedelta(seconds=59))
    assert world.status.weight == 10
    assert world.phase() is Phase.PROGRESSING
    assert world.run(MINUTE, until=in_phase(phase))


def test_a_gates_pause_ends_with_resume_and_a_used_resume_does_nothing_more() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Pause"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.answer = lambda question: value(0.0)
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.annotate("resume", "1")
    assert world.run(HOUR, until=lambda world: world.status.weight == 25)
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.answer = lambda question: value(0.0)
    world.annotate("resume", "1/25")
    assert world.run(HOUR, until=in_phase(Phase.IDLE))


def comparing(candidate: float, stable: float | None, samples: float = 1000) -> Callable[[Question], Reading]:
    """Answers by arm; stable None stands for no data."""

    def answer(question: Question) -> Reading:
        if question.subject.arm is Arm.CANDIDATE:
            return value(candidate)
        return value(stable, samples) if stable is not None else NO_DATA

    return answer


def compared(bound: str) -> World:
    world = World(spec("v7"))
    check = {"ratio": None, "query": "cost", "minSamples": None, "warning": None, "critical": {"aboveStableBy": bound}}
    world.gates["quality"] = GateView("quality", gate(**check))
    world.settle()
    world.release("v8")
    return world


@pytest.mark.parametrize(("bound", "fails"), [("40%", 0.15), ("0.04", 0.15)])
def test_a_comparison_is_relative_with_percent_and_a_difference_without(bound: str, fails: float) -> None:
    world = compared(bound)
    world.answer = comparing(0.139, 0.1)
    world.run(timedelta(seconds=50))
    assert world.status.weight == 10
    world.answer = comparing(fails, 0.1)
    assert world.run(MINUTE, until=in_phase(Phase.ROLLED_BACK))


def test_a_relative_bound_against_zero_is_undecided() -> None:
    world = compared("40%")
    world.answer = comparing(5.0, 0.0)
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    assert world.status.verdicts[0].verdict is VerdictKind.UNDECIDED


def test_once_stable_no_longer_serves_its_last_good_value_counts() -> None:
    world = compared("40%")
    world.answer = comparing(0.1, 0.1)
    assert world.run(HOUR, until=lambda world: world.status.weight == 100)
    asked: list[Arm] = []

    def answer(question: Question) -> Reading:
        asked.append(question.subject.arm)
        return value(0.2)

    world.answer = answer
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    assert set(asked) == {Arm.CANDIDATE}


def test_a_warning_notifies_and_does_not_block() -> None:
    world = at_step(10)
    world.answer = lambda question: value(0.03)
    assert world.run(HOUR, until=in_phase(Phase.IDLE))
    assert "CheckWarning" in {notice.reason for notice in world.notices}


# --- the way back ---


@pytest.mark.parametrize("weight", [10, 25, 50, 100])
def test_abort_works_at_every_step_and_rejects(weight: int) -> None:
    world = at_step(weight)
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}
    assert prompted(world) == "v7"


def test_abort_works_while_paused_and_a_stale_one_does_nothing() -> None:
    world = at_step(25)
    world.edit(spec("v8", paused=True))
    world.annotate("abort", "9")
    world.run(HOUR)
    assert world.phase() is Phase.PAUSED
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK


@pytest.mark.parametrize("switch", ["Stable", "Legacy"])
def test_the_kill_switch_takes_everybody_back_and_off_raises_nothing(switch: str) -> None:
    world = at_step(50)
    world.edit(spec("v8", killSwitch=switch))
    world.settle()
    assert world.phase() is Phase.KILLED
    assert world.shown[FLAG].weight == 0
    assert world.shown[FLAG].kill.value == switch
    world.edit(spec(prompted(world)))
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.exposed() == {"sha256:v7"}
    world.release("v8")
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


@pytest.mark.parametrize("switch", ["Stable", "Legacy"])
def test_the_kill_switch_at_rest_is_not_called_delivered_before_the_routers_show_it(switch: str) -> None:
    world = World(spec("v7"))
    world.settle()
    before = len(world.commits)
    world.delivers = False
    world.edit(spec("v7", killSwitch=switch))
    world.settle()
    assert world.phase() is Phase.KILLED
    assert condition(world, "Delivered") == "False/Undelivered"
    world.delivers = True
    world.run(HOUR)
    assert condition(world, "Delivered") == "True/Delivered"
    assert len(world.commits) - before == 2


def test_pointing_back_at_stable_rejects_nothing() -> None:
    world = at_step(25)
    world.release("v7")
    world.settle()
    assert world.status.history[0].outcome is Outcome.ABORTED
    assert not world.status.rejected
    assert world.exposed() == {"sha256:v7"}
    world.release("v8")
    world.settle()
    assert world.status.weight == 10


def test_a_newer_candidate_supersedes_from_step_0_and_nobody_sees_both() -> None:
    world = at_step(50)
    world.release("v9")
    world.settle()
    assert world.status.history[0].outcome is Outcome.SUPERSEDED
    assert world.weights[-2:] == [0, 10]
    assert world.exposed() == {"sha256:v7", "sha256:v9"}
    assert not world.status.rejected


def test_a_rejected_digest_is_not_tried_again_whoever_applies_it_until_retry() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    for _ in range(5):
        world.release("v8")
        world.run(HOUR)
        assert world.exposed() == {"sha256:v7"}
    assert condition(world, "Stalled") == "True/Rejected"
    commits = len(world.commits)
    world.run(timedelta(days=1))
    assert len(world.commits) == commits
    world.annotate("retry", "1")
    world.settle()
    assert world.status.weight == 10


def test_the_same_content_under_another_name_is_rejected_too() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    world.add_version("v8-again", digest="sha256:v8")
    world.release("v8-again")
    world.run(HOUR)
    assert world.exposed() == {"sha256:v7"}


def test_gitops_writing_the_rejected_version_right_after_the_restore_moves_nothing_and_does_not_loop() -> None:
    world = at_step(10)
    world.foreign_after_restore = "v8"
    world.annotate("abort", "1")
    world.run(HOUR)
    assert world.restores == 1
    assert world.exposed() == {"sha256:v7"}
    assert world.status.attempt is not None
    assert world.status.attempt.state is AttemptState.ENDED


def test_a_newer_candidate_applied_during_the_way_back_starts_after_it() -> None:
    world = at_step(10)
    world.answer = lambda question: value(0.5) if question.subject.version == "v8" else value(0.0)
    world.foreign_after_restore = "v9"
    assert world.run(HOUR, until=lambda world: bool(world.status.rejected))
    world.settle()
    assert world.status.history[0].outcome is Outcome.ROLLED_BACK
    assert world.status.attempt is not None
    assert world.status.attempt.candidate.version == "v9"
    assert world.restores == 1


def test_stables_objects_need_not_exist_for_a_revert() -> None:
    world = at_step(25)
    del world.versions["v7"]
    world.gates.clear()
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert world.exposed() == {"sha256:v7"}
    assert world.shown[FLAG].stable.payload is not None


def test_promote_waives_holds_and_silence_but_never_harm_and_can_still_be_aborted() -> None:
    world = at_step(10)
    world.answer = lambda question: ERROR
    world.annotate("promote", "1")
    assert world.run(HOUR, until=in_phase(Phase.BAKING))
    assert [weight for weight in world.weights if weight] == [10, 25, 50, 100]
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK


def test_promote_does_not_step_over_a_breach() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Hold"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.5)
    world.run(timedelta(seconds=20))
    world.annotate("promote", "1")
    world.run(HOUR)
    assert world.status.weight == 10


# --- first, lost, recreated ---


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


# --- drift ---


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


# --- writes ---


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
