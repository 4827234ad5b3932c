"""How an attempt goes on: steps without gates, steps without a hold, deadlines, retries, the kill switch at rest."""

from datetime import timedelta

from headgate.api.rollout_status import Phase, VerdictKind
from headgate.engine.observation import GateView
from headgate.engine.routing import ArmVersion, Routing, router_id
from tests.engine.scenes import FLAG, HOUR, MINUTE, at_step, condition, in_phase, shown
from tests.engine.world import ERROR, World, gate, prompted, spec, value


def test_steps_and_a_bake_without_gates_last_as_long_as_they_hold() -> None:
    world = at_step(10, gates=[])
    for weight in (10, 25, 50):
        world.run(timedelta(seconds=59))
        assert world.status.weight == weight
        world.run(timedelta(seconds=1))
    assert world.status.weight == 100
    world.run(timedelta(seconds=299))
    assert world.phase() is Phase.BAKING
    assert world.run(timedelta(seconds=1), until=in_phase(Phase.IDLE))
    assert world.asked == 0


def test_a_step_without_a_hold_needs_evidence_of_its_own() -> None:
    steps = [{"weight": 10, "holdFor": "1m"}, {"weight": 25}, {"weight": 100, "holdFor": "1m"}]
    world = at_step(10, steps=steps)
    asked = 0
    world.run(timedelta(seconds=59))

    def count(world: World) -> None:
        nonlocal asked
        asked = world.asked

    world.before_commit = count
    world.run(timedelta(seconds=1))
    assert world.status.weight == 100
    assert world.asked > asked
    left = next(commit for commit in world.commits if commit.weight == 100)
    assert {record.step for record in left.verdicts} == {"25"}


def test_a_progress_deadline_is_told_when_it_passes_and_reverts_nobody() -> None:
    world = World(spec("v7", progressDeadline="7m"))
    slow = gate().model_copy(update={"period": "1h"})
    world.gates["quality"] = GateView("quality", slow)
    world.settle()
    world.release("v8")
    world.answer = lambda question: ERROR
    world.run(timedelta(minutes=7, seconds=59))
    assert condition(world, "Stalled").startswith("False")
    told = world.now + timedelta(seconds=1)
    world.run(timedelta(minutes=10), until=lambda world: condition(world, "Stalled").startswith("True"))
    assert condition(world, "Stalled") == "True/ProgressDeadlineExceeded"
    assert world.now == told
    assert world.status.weight == 10


def test_a_resumed_attempt_is_not_paused_again_by_the_breach_that_went_on() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Pause"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.annotate("resume", "1")
    world.run(HOUR)
    assert world.phase() is Phase.HOLDING
    assert world.status.weight == 10
    assert [notice.reason for notice in world.notices].count("PausedByGate") == 1


def test_an_attempt_that_a_gate_paused_can_be_taken_back_and_is_not_paused_any_more() -> None:
    world = World(spec("v7"))
    world.gates["quality"] = GateView("quality", gate(critical={"above": "5%", "action": "Pause"}))
    world.settle()
    world.release("v8")
    world.answer = lambda question: value(0.2)
    assert world.run(MINUTE, until=in_phase(Phase.PAUSED))
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert condition(world, "Paused") == "False/NotPaused"
    assert world.status.attempt is not None
    assert world.status.attempt.paused is None


def test_no_attempt_rises_before_every_router_is_back_at_zero() -> None:
    world = World(spec("v7"))
    world.settle()
    shown(world, weight=60, candidate=ArmVersion("v9", "sha256:v9"))
    world.broken = {FLAG}
    world.release("v8")
    world.run(HOUR)
    assert world.status.weight == 0
    assert world.phase() is Phase.VERIFYING
    world.broken = set()
    world.run(timedelta(minutes=6))
    assert world.status.weight >= 10
    assert "sha256:v9" not in world.exposed()


def test_a_retry_lifts_the_rejection_of_its_attempt_alone() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    world.release("v9")
    world.settle()
    world.annotate("abort", "2")
    world.settle()
    world.annotate("retry", "7")
    world.settle()
    assert len(world.status.rejected) == 2
    world.annotate("retry", "2")
    world.settle()
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
    assert world.record is not None
    assert [rejection.version for rejection in world.record.rejected] == ["v8"]


def test_under_a_kill_switch_no_attempt_begins() -> None:
    world = World(spec("v7"))
    world.settle()
    world.edit(spec("v8", killSwitch="Stable"))
    world.run(HOUR)
    assert world.status.attempt is None
    assert world.phase() is Phase.KILLED
    assert not world.status.rejected
    ready = next(each for each in world.status.conditions if each.type == "Ready")
    assert (ready.reason, ready.message.startswith("stable is v7")) == ("Killed", True)


def test_a_retry_from_before_its_rejection_lifts_nothing_and_a_new_one_does() -> None:
    world = at_step(10)
    world.annotate("retry", "1")
    world.settle()
    world.restart()
    world.answer = lambda question: value(0.5)
    assert world.run(HOUR, until=in_phase(Phase.ROLLED_BACK))
    world.restart()
    world.release("v8")
    world.run(HOUR)
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
    assert (world.status.attempts, world.exposed()) == (1, {"sha256:v7"})
    assert [notice.reason for notice in world.notices].count("RetryIgnored") == 1
    world.answer = lambda question: value(0.0)
    world.annotate("retry", "1/again")
    world.settle()
    assert (world.status.attempts, world.status.rejected, world.status.weight) == (2, [], 10)


def test_a_retry_that_is_seen_under_the_kill_switch_lifts_nothing_when_it_is_off_again() -> None:
    world = at_step(10)
    world.annotate("abort", "1")
    world.settle()
    # The switch comes from Git, and by then the operator has not heard of the retry.
    world.annotate("retry", "1")
    world.release("v8", killSwitch="Stable")
    world.run(HOUR)
    world.restart()
    world.release("v8", killSwitch="Off")
    world.run(HOUR)
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
    assert world.record is not None
    assert [rejection.version for rejection in world.record.rejected] == ["v8"]
    assert (world.status.attempts, world.exposed()) == (1, {"sha256:v7"})
    assert [notice.reason for notice in world.notices].count("RetryIgnored") == 1
    world.annotate("retry", "1/again")
    world.settle()
    assert (world.status.attempts, world.status.weight) == (2, 10)


def test_an_attempt_knows_nothing_of_the_verdicts_of_the_one_before() -> None:
    world = at_step(25)
    assert world.status.verdicts[0].verdict is VerdictKind.PASS
    world.release("v9")
    world.settle()
    begun = next(commit for commit in world.commits if commit.attempts == 2)
    assert begun.verdicts == []


def test_a_newer_candidate_that_comes_with_the_revert_is_not_undone_by_it() -> None:
    world = at_step(25)
    world.answer = lambda question: value(0.5) if question.subject.version == "v8" else value(0.0)
    world.before_commit = lambda world: world.release("v9")
    assert world.run(HOUR, until=lambda world: world.status.attempts == 2)
    assert prompted(world) == "v9"
    assert world.restores == 0
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]


def test_the_arms_of_a_route_swap_at_each_promotion_and_at_no_revert() -> None:
    route = {"httpRoute": {"name": "reply", "backends": ["reply-a", "reply-b"]}}
    world = World(spec("v7", delivery=[route]))
    world.settle()
    slots: list[int] = []
    for version in ("v8", "v9", "v7"):
        world.release(version)
        assert world.run(HOUR, until=lambda world: world.status.weight == 10)
        assert world.run(HOUR, until=in_phase(Phase.IDLE))
        slots.append(only(world).stable_slot)
    assert slots == [1, 0, 1]
    world.release("v8")
    world.settle()
    world.annotate("abort", "4")
    world.settle()
    assert only(world).stable_slot == 1
    assert router_id(world.spec.delivery[0]) in world.shown


def only(world: World) -> Routing:
    """What the one router shows."""
    (routing,) = world.shown.values()
    return routing


def test_a_hold_is_woken_from_when_it_is_over() -> None:
    world = at_step(10, gates=[], steps=[{"weight": 10, "holdFor": "20s"}, {"weight": 100}])
    world.settle()
    assert world.due == world.now + timedelta(seconds=20)


def test_the_attempts_that_ended_are_told_newest_first() -> None:
    world = at_step(10)
    world.release("v9")
    world.settle()
    world.release("v7")
    world.settle()
    assert [(entry.number, entry.version) for entry in world.status.history] == [(2, "v9"), (1, "v8")]
