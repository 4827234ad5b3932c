"""What is run after a revert: ordered with its end, begun after that, in nobody's way, and on record at its end."""

from datetime import timedelta
from typing import Any

import pytest

from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import AttemptState, HookState, Outcome, Phase
from headgate.engine.aftermath import MOST_RECORDED
from headgate.engine.decision import NoticeKind
from headgate.engine.hooks import HookResult
from tests.engine.world import Crash, World, prompted, spec, value

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CACHE: dict[str, Any] = {"name": "clear-cache", "webhook": {"name": "cache"}}
SMOKE: dict[str, Any] = {"name": "smoke", "job": {"cronJob": "smoke-evaluation"}, "timeout": "20m", "retries": 2}


def after(*hooks: dict[str, Any]) -> dict[str, object]:
    return {"rollback": {"after": list(hooks)}}


def in_step(*hooks: dict[str, Any]) -> World:
    world = World(spec("v7", **after(*hooks)))
    world.settle()
    world.release("v8")
    world.settle()
    assert world.status.weight == 10
    return world


def reverted(*hooks: dict[str, Any]) -> World:
    world = in_step(*hooks)
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    return world


def ends(world: World, name: str, *, attempt: int = 1, succeeded: bool = True, message: str = "took it") -> None:
    assert (attempt, name) in {(hook.attempt, hook.name) for hook in world.hooks}, "it does not run"
    began = world.now
    world.now += SECOND
    world.hook_results[attempt, name] = HookResult(succeeded, message, 3, began, world.now)


def running(world: World) -> list[str]:
    return [hook.name for hook in world.hooks]


def states(world: World) -> dict[tuple[int, str], HookState]:
    return {(record.attempt, record.name): record.state for record in world.status.after}


def reasons(world: World, *wanted: str) -> list[str]:
    return [notice.reason for notice in world.notices if notice.reason in wanted]


def test_hooks_are_due_after_a_revert_with_all_that_they_are_told() -> None:
    world = reverted(CACHE, SMOKE)
    cache, smoke = world.hooks
    assert (cache.name, cache.webhook, cache.cron_job, cache.timeout, cache.retries) == (
        "clear-cache",
        "cache",
        None,
        600,
        5,
    )
    assert (smoke.webhook, smoke.cron_job, smoke.timeout, smoke.retries) == (None, "smoke-evaluation", 1200, 2)
    assert (smoke.namespace, smoke.rollout, smoke.uid, smoke.attempt) == ("ai", "reply", "uid-1", 1)
    assert (smoke.rejected.version, smoke.stable.version) == ("v8", "v7")
    assert smoke.outcome is Outcome.ROLLED_BACK
    assert "aborted" in smoke.reason
    assert smoke.key == "uid-1/1/smoke"


def test_they_are_ordered_by_the_very_commit_that_ends_the_attempt() -> None:
    world = reverted(CACHE)
    plain = reverted()
    assert (len(world.commits), world.effects) == (len(plain.commits), plain.effects)
    ended = [status for status in world.commits if status.attempt and status.attempt.state is AttemptState.ENDED]
    assert [len(status.after) for status in ended[-1:]] == [1]
    before = [status for status in world.commits if not status.after]
    assert all(status.attempt is None or status.attempt.state is not AttemptState.ENDED for status in before[1:])


def test_none_is_due_before_the_revert_is_committed() -> None:
    world = in_step(CACHE)
    world.delivers = False
    world.annotate("abort", "1")
    world.settle()
    assert world.phase() is Phase.ROLLING_BACK
    assert not running(world)
    world.delivers = True
    world.run(MINUTE)
    assert running(world) == ["clear-cache"]


def test_the_kill_switch_a_gate_and_an_abort_run_them() -> None:
    killed = in_step(CACHE)
    killed.edit(killed.spec.model_copy(update={"kill_switch": KillSwitch.STABLE}))
    killed.settle()
    assert [hook.name for hook in killed.hooks] == ["clear-cache"]

    failing = in_step(CACHE)
    failing.answer = lambda question: value(0.2)
    failing.run(MINUTE)
    assert [hook.name for hook in failing.hooks] == ["clear-cache"]


def test_what_rejects_nothing_runs_none() -> None:
    withdrawn = in_step(CACHE)
    withdrawn.release("v7")
    withdrawn.settle()
    assert withdrawn.status.history[0].outcome is Outcome.ABORTED
    assert (withdrawn.hooks, withdrawn.status.after) == ((), [])

    superseded = in_step(CACHE)
    superseded.release("v9")
    superseded.settle()
    assert superseded.status.history[0].outcome is Outcome.SUPERSEDED
    assert (superseded.hooks, superseded.status.after) == ((), [])

    promoted = in_step(CACHE)
    assert promoted.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert (promoted.hooks, promoted.status.after) == ((), [])


def test_an_edit_of_the_hooks_counts_until_the_revert_ends_and_not_after_it() -> None:
    world = in_step(CACHE)
    world.release("v8", **after(CACHE, SMOKE))
    world.settle()
    world.annotate("abort", "1")
    world.settle()
    assert [hook.name for hook in world.hooks] == ["clear-cache", "smoke"]
    world.release(prompted(world), **after())
    world.settle()
    assert [hook.name for hook in world.hooks] == ["clear-cache", "smoke"]


def test_the_end_of_a_hook_is_one_commit_and_costs_routers_nothing() -> None:
    world = reverted(CACHE, SMOKE)
    commits, revision, weights = len(world.commits), world.status.revision, len(world.weights)
    ends(world, "clear-cache")
    world.settle()
    assert states(world) == {(1, "clear-cache"): HookState.SUCCEEDED, (1, "smoke"): HookState.PENDING}
    assert len(world.commits) == commits + 1
    assert (world.status.revision, len(world.weights)) == (revision, weights)
    record = world.status.after[0]
    assert (record.tries, record.message) == (3, "took it")
    assert record.ended_at is not None
    assert record.started_at is not None
    assert [hook.name for hook in world.hooks] == ["smoke"]
    world.run(HOUR)
    assert len(world.commits) == commits + 1


def test_hooks_that_end_together_are_one_commit() -> None:
    world = reverted(CACHE, SMOKE)
    commits = len(world.commits)
    ends(world, "clear-cache")
    ends(world, "smoke", succeeded=False, message="Job failed")
    world.settle()
    assert set(states(world).values()) == {HookState.SUCCEEDED, HookState.FAILED}
    assert len(world.commits) == commits + 1
    assert world.hooks == ()


def test_a_failed_hook_is_told_once_and_changes_nothing_else() -> None:
    world = reverted(CACHE)
    conditions = {known.type: (known.status, known.reason) for known in world.status.conditions}
    ends(world, "clear-cache", succeeded=False, message="webhook 'cache' answered HTTP 500")
    world.settle()
    world.restart()
    world.run(HOUR)
    [told] = [notice for notice in world.notices if notice.reason == "HookFailed"]
    assert told.kind is NoticeKind.WARNING
    assert told.message == "attempt 1: hook 'clear-cache': webhook 'cache' answered HTTP 500"
    assert world.phase() is Phase.ROLLED_BACK
    assert {known.type: (known.status, known.reason) for known in world.status.conditions} == conditions


def test_a_commit_that_fails_tells_nobody_and_loses_no_result() -> None:
    world = reverted(CACHE)
    ends(world, "clear-cache", succeeded=False)
    world.commits_fail = 2
    world.settle()
    assert reasons(world, "HookFailed") == []
    assert world.run(MINUTE, until=lambda world: states(world)[1, "clear-cache"] is HookState.FAILED)
    assert reasons(world, "HookFailed") == ["HookFailed"]


def test_somebody_who_writes_first_loses_no_result_either() -> None:
    world = reverted(CACHE)
    ends(world, "clear-cache")
    world.before_commit = lambda world: world.annotate("note", "x")
    world.settle()
    assert states(world) == {(1, "clear-cache"): HookState.SUCCEEDED}


def test_after_a_crash_what_was_pending_is_due_again_under_the_same_key() -> None:
    world = reverted(CACHE, SMOKE)
    ends(world, "smoke")
    world.settle()
    [before] = world.hooks
    world.restart()
    world.settle()
    assert [*world.hooks] == [before]


@pytest.mark.parametrize("at", range(1, 9))
def test_a_crash_anywhere_in_the_way_back_neither_loses_a_hook_nor_orders_it_twice(at: int) -> None:
    world = in_step(CACHE)
    world.crash_at = world.effects + at
    world.annotate("abort", "1")
    try:
        world.settle()
    except Crash:
        world.restart()
    world.settle()
    assert world.phase() is Phase.ROLLED_BACK
    assert [(hook.key, hook.rejected.version) for hook in world.hooks] == [("uid-1/1/clear-cache", "v8")]
    assert states(world) == {(1, "clear-cache"): HookState.PENDING}


def test_the_next_attempt_waits_for_no_hook_and_leaves_it_running() -> None:
    world = reverted(CACHE)
    world.release("v9")
    world.settle()
    assert world.status.weight == 10
    assert [(hook.attempt, hook.name) for hook in world.hooks] == [(1, "clear-cache")]
    ends(world, "clear-cache", succeeded=False)
    world.settle()
    assert world.status.weight == 10
    assert states(world) == {(1, "clear-cache"): HookState.FAILED}
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.status.stable is not None
    assert world.status.stable.version == "v9"


def test_a_pending_hook_is_told_what_was_stable_then_whatever_is_now() -> None:
    world = reverted(CACHE)
    [before] = world.hooks
    world.release("v9")
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert world.hooks == (before,)


def test_the_first_commit_of_a_way_back_is_about_no_hook_and_the_last_has_its_end() -> None:
    world = reverted(CACHE)
    world.release("v9")
    world.settle()
    ends(world, "clear-cache")
    world.annotate("abort", "2")
    commits = len(world.commits)
    world.settle()
    back, end = world.commits[commits:]
    assert back.attempt is not None
    assert back.attempt.state is AttemptState.ROLLING_BACK
    assert [record.state for record in back.after] == [HookState.PENDING]
    assert [(record.attempt, record.state) for record in end.after] == [
        (2, HookState.PENDING),
        (1, HookState.SUCCEEDED),
    ]


def test_a_rollout_that_is_deleted_runs_none() -> None:
    world = reverted(CACHE)
    world.deleting = True
    world.settle()
    assert world.hooks == ()


def test_what_is_remembered_is_bounded_and_what_is_given_up_is_told() -> None:
    hooks = [{**CACHE, "name": f"hook-{number}"} for number in range(8)]
    world = in_step(*hooks)
    for attempt in range(1, 6):
        world.annotate("abort", str(attempt))
        world.settle()
        world.annotate("retry", str(attempt))
        world.settle()
        world.release("v8")
        world.settle()
    assert len(world.status.after) == MOST_RECORDED
    assert {record.attempt for record in world.status.after} == {5, 4, 3}
    assert len(reasons(world, "HookFailed")) == 16
    assert {hook.attempt for hook in world.hooks} == {5, 4, 3}


def test_hooks_are_forgotten_with_their_attempt() -> None:
    world = reverted(CACHE)
    for attempt in range(1, 11):
        world.annotate("retry", str(attempt))
        world.settle()
        world.release("v8", **after())
        world.settle()
        world.annotate("abort", str(attempt + 1))
        world.settle()
    assert 1 not in {entry.number for entry in world.status.history}
    assert (world.status.after, world.hooks) == ([], ())
    assert reasons(world, "HookFailed") == ["HookFailed"]


def test_a_hook_that_cannot_be_run_is_seen_before_any_revert_and_blocks_nothing() -> None:
    world = World(spec("v7", **after(CACHE, SMOKE)), hook_problems={"clear-cache": "webhook 'cache' is not there"})
    world.settle()
    known = {condition.type: condition for condition in world.status.conditions}
    assert (known["HooksKnown"].status.value, known["HooksKnown"].reason) == ("False", "HookUnknown")
    assert known["HooksKnown"].message == "hook 'clear-cache': webhook 'cache' is not there"
    assert known["Ready"].status.value == "True"
    assert reasons(world, "HookUnknown") == ["HookUnknown"]
    world.release("v8")
    assert world.run(HOUR, until=lambda world: world.phase() is Phase.IDLE)
    assert reasons(world, "HookUnknown") == ["HookUnknown"]
    world.hook_problems = {"clear-cache": "webhook 'cache' is not for you"}
    world.restart()
    world.run(HOUR)
    assert reasons(world, "HookUnknown") == ["HookUnknown", "HookUnknown"]
    world.restart()
    world.hook_problems = {}
    world.settle()
    known = {condition.type: condition for condition in world.status.conditions}
    assert known["HooksKnown"].status.value == "True"


def test_a_rollout_without_hooks_has_no_such_condition() -> None:
    assert "HooksKnown" not in {condition.type for condition in in_step().status.conditions}
