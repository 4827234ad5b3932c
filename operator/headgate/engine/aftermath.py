"""What is run after a revert: put on record in the commit that ends it, begun after that, and taken down at its end.

Nothing waits for a hook, and no way back is written about one.
"""

from headgate.api.conditions import ConditionStatus
from headgate.api.quantities import seconds
from headgate.api.rollout_status import AttemptState, HookRecord, HookState, Outcome, RolloutStatus, VersionRef
from headgate.engine.decision import Notice, NoticeKind
from headgate.engine.hooks import DueHook, HookResult
from headgate.engine.observation import RolloutView
from headgate.engine.turn import Turn

MOST_RECORDED = 24
"""How many hooks the status remembers: those of the last reverts, as long as these are in the history."""

HOOKS_KNOWN = "HooksKnown"
"""The type of the condition that says, before anything is reverted, whether each hook that is named can be run."""

_OVERTAKEN = "was given up: too many attempts have ended since"


def follow_the_end(turn: Turn) -> None:
    """Puts the hooks of an attempt that was just taken back on record; the oldest make room."""
    ended = {entry.number for entry in turn.status.history}
    known = [*_ordered(turn), *turn.status.after]
    kept = [record for record in known[:MOST_RECORDED] if record.attempt in ended]
    for record in known:
        if record.state is HookState.PENDING and record not in kept:
            turn.tell(*_failure(record, _OVERTAKEN), NoticeKind.WARNING)
    turn.change(after=kept)


def take_down(turn: Turn) -> None:
    """Writes the ends of hooks into the status; while there is a way back to go, they wait."""
    if turn.observation.hook_results and turn.state is not AttemptState.ROLLING_BACK:
        turn.change(after=[_ended(record, turn) for record in turn.status.after])


def due_hooks(view: RolloutView) -> tuple[DueHook, ...]:
    """The hooks that must be running now, as far as is committed: all that are pending, and no other."""
    pending = [record for record in view.status.after if record.state is HookState.PENDING]
    ended = {entry.number: entry for entry in view.status.history} if pending else {}
    return tuple(
        DueHook(
            namespace=view.namespace,
            rollout=view.name,
            uid=view.uid,
            attempt=record.attempt,
            name=record.name,
            webhook=record.webhook,
            cron_job=record.cron_job,
            timeout=seconds(record.timeout),
            retries=record.retries,
            outcome=entry.outcome,
            reason=entry.reason,
            rejected=VersionRef(version=entry.version, digest=entry.digest),
            stable=record.stable,
            at=entry.ended_at,
        )
        for record in pending
        if (entry := ended.get(record.attempt)) is not None
    )


def unknown_hooks(turn: Turn) -> tuple[ConditionStatus, str] | None:
    """Whether every hook that the spec names can be run, and why not; None where it names none."""
    if not turn.observation.rollout.orders.rollback.after:
        return None
    problems = turn.observation.hook_problems
    if not problems:
        return ConditionStatus.TRUE, ""
    return ConditionStatus.FALSE, "; ".join(f"hook {name!r}: {why}" for name, why in sorted(problems.items()))


def notices(committed: RolloutStatus, status: RolloutStatus) -> tuple[Notice, ...]:
    """What people should hear of once ``status`` is committed: a hook that failed, one that could not be run."""
    pending = {(record.attempt, record.name) for record in committed.after if record.state is HookState.PENDING}
    failed = [
        Notice(*_failure(record, record.message), NoticeKind.WARNING)
        for record in status.after
        if record.state is HookState.FAILED and (record.attempt, record.name) in pending
    ]
    unknown = _unknown(status)
    if unknown is not None and unknown != _unknown(committed):
        failed.append(Notice("HookUnknown", unknown[:1000], NoticeKind.WARNING))
    return tuple(failed)


def _ordered(turn: Turn) -> list[HookRecord]:
    attempt, stable = turn.flight, turn.status.stable
    if attempt.outcome is not Outcome.ROLLED_BACK or stable is None:
        return []
    return [
        HookRecord(
            attempt=attempt.number,
            name=hook.name,
            webhook=hook.webhook.name if hook.webhook is not None else None,
            cron_job=hook.job.cron_job if hook.job is not None else None,
            timeout=hook.timeout,
            retries=hook.retries,
            stable=VersionRef(version=stable.version, digest=stable.digest),
            state=HookState.PENDING,
        )
        for hook in turn.observation.rollout.orders.rollback.after
    ]


def _ended(record: HookRecord, turn: Turn) -> HookRecord:
    result = turn.observation.hook_results.get((record.attempt, record.name))
    if result is None or record.state is not HookState.PENDING:
        return record
    return record.model_copy(update=_outcome(result))


def _outcome(result: HookResult) -> dict[str, object]:
    return {
        "state": HookState.SUCCEEDED if result.succeeded else HookState.FAILED,
        "tries": result.tries,
        "message": result.message[:1024],
        "started_at": result.started_at,
        "ended_at": result.ended_at,
    }


def _failure(record: HookRecord, why: str) -> tuple[str, str]:
    return "HookFailed", f"attempt {record.attempt}: hook {record.name!r}: {why}"


def _unknown(status: RolloutStatus) -> str | None:
    conditions = (known for known in status.conditions if known.type == HOOKS_KNOWN)
    return next((known.message for known in conditions if known.status is ConditionStatus.FALSE), None)
