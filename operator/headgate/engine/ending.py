"""How an attempt is closed, and what outlives the Rollout. Knows nothing of why it ended."""

from headgate.api.rollout_status import AttemptState, HistoryEntry, Outcome
from headgate.engine.aftermath import follow_the_end
from headgate.engine.decision import NoticeKind
from headgate.engine.plan import Record
from headgate.engine.turn import Turn, named

MOST_HISTORY = 10


def end(turn: Turn) -> None:
    """Closes the attempt with the outcome that it carries, and adds it to the history."""
    attempt = turn.flight
    outcome = attempt.outcome or Outcome.ROLLED_BACK
    turn.change_attempt(state=AttemptState.ENDED, ended_at=turn.now)
    entry = HistoryEntry.model_construct(
        number=attempt.number,
        version=attempt.candidate.version,
        digest=attempt.candidate.digest,
        outcome=outcome,
        reason=attempt.reason,
        started_at=attempt.started_at,
        ended_at=turn.now,
    )
    turn.change(history=[entry, *turn.status.history][:MOST_HISTORY])
    follow_the_end(turn)
    turn.remember(failing=None, measured={})
    turn.urgent = False
    kind = NoticeKind.WARNING if outcome is Outcome.ROLLED_BACK else NoticeKind.NORMAL
    turn.happened(outcome.value, f"attempt {attempt.number} of {named(attempt.candidate)}: {attempt.reason}", kind)


def record_of(turn: Turn) -> Record:
    """What must outlive this Rollout, as the status has it now."""
    status = turn.status
    versions = {rejection.version: rejection.digest for rejection in status.rejected}
    if status.stable is not None:
        versions[status.stable.version] = status.stable.digest
    return Record(
        stable=status.stable,
        revision=status.revision + turn.transition,
        attempt=status.attempt.number if status.attempt else 0,
        rejected=status.rejected,
        versions=versions,
        written_at=turn.now,
    )
