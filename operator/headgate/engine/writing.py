"""What is worth a write: transitions and what people must see at once. The rest rides along with the next one."""

from datetime import timedelta

from headgate.api.rollout_status import Attempt, AttemptState, RolloutStatus, VerdictKind
from headgate.engine.turn import Turn

RIDES_ALONG = timedelta(seconds=60)
"""How long what people wait to read may wait for a transition to ride along with, before it is written alone."""

RIDES_FAR = timedelta(minutes=10)
"""The same for what only a restart would miss: a later step's delivery, and verdicts that changed."""

VERDICT_SPACING = timedelta(seconds=30)
"""The least time between two writes that only tell of a verdict."""

URGENT_VERDICTS = frozenset({VerdictKind.BREACHING, VerdictKind.FAIL})


def is_worth_writing(turn: Turn, committed: RolloutStatus, status: RolloutStatus) -> bool:
    """Whether the status is written now, although nothing was decided in this look."""
    if _visible(committed) != _visible(status):
        return True
    if _newly_blocks(committed, status):
        last = turn.memory.verdicts_written_at
        if last is None or not last <= turn.now < last + VERDICT_SPACING:
            turn.remember(verdicts_written_at=turn.now)
            return True
        turn.wake(last + VERDICT_SPACING)
    if _rides(committed) == _rides(status):
        turn.remember(unwritten_since=None)
        return False
    # Since when cannot lie in the future, unless the clock was put back.
    since = min(turn.memory.unwritten_since or turn.now, turn.now)
    turn.remember(unwritten_since=since)
    patience = RIDES_FAR if _told(committed) == _told(status) else RIDES_ALONG
    if turn.now >= since + patience:
        return True
    turn.wake(since + patience)
    return False


def _visible(status: RolloutStatus) -> tuple[object, ...]:
    conditions = tuple((known.type, known.status, known.reason) for known in status.conditions)
    attempt = _without_moving_parts(status.attempt)
    return (
        status.observed_generation,
        status.phase,
        status.weight,
        status.stable,
        attempt,
        len(status.rejected),
        len(status.history),
        tuple((record.attempt, record.name, record.state) for record in status.after),
        conditions,
    )


def _without_moving_parts(attempt: Attempt | None) -> Attempt | None:
    if attempt is None:
        return None
    step = attempt.step.model_copy(update={"delivered_at": None}) if attempt.step is not None else None
    return attempt.model_copy(update={"reason": "", "step": step, "exposed_at": None})


def _newly_blocks(committed: RolloutStatus, status: RolloutStatus) -> bool:
    before = {(record.gate, record.check): record.verdict for record in committed.verdicts}
    return any(
        record.verdict in URGENT_VERDICTS and before.get((record.gate, record.check)) is not record.verdict
        for record in status.verdicts
    )


def _rides(status: RolloutStatus) -> tuple[object, ...]:
    verdicts = tuple((record.gate, record.check, record.verdict) for record in status.verdicts)
    step = status.attempt.step if status.attempt is not None else None
    return verdicts, step.delivered_at if step is not None else None, _told(status)


def _told(status: RolloutStatus) -> tuple[object, ...]:
    """What people wait to read."""
    return status.attempt.exposed_at if status.attempt is not None else None, _words(status)


def _words(status: RolloutStatus) -> tuple[str, ...]:
    """Sentences that people act upon and that hold no moving figures; others change with every look."""
    attempt = status.attempt
    waits = attempt.reason if attempt is not None and attempt.state is AttemptState.VERIFYING else ""
    moving = ("ProgressDeadlineExceeded",)
    told = [known for known in status.conditions if known.type in ("Delivered", "Stalled", "HooksKnown")]
    return waits, *(known.message for known in told if known.reason not in moving)
