"""How an attempt is closed, and what outlives the Rollout. Knows nothing of why it ended."""

from datetime import datetime

from headgate.api.rollout_status import AttemptState, HistoryEntry, Outcome, RolloutStatus
from headgate.engine.aftermath import follow_the_end
from headgate.engine.authority import account_of
from headgate.engine.decision import NoticeKind
from headgate.engine.plan import Record
from headgate.engine.taken import names, taken
from headgate.engine.turn import Turn, named

MOST_HISTORY = 10
_LONGEST_REASON = 400


def end(turn: Turn, left: str = "") -> None:
    """Closes the attempt with the outcome that it carries, and adds it to the history.

    ``left`` is what is left to do for a person, as a sentence without its full stop.
    """
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
    turn.urgent = False
    kind = NoticeKind.WARNING if outcome is Outcome.ROLLED_BACK else NoticeKind.NORMAL
    # What is left to do must not fall off a long reason's end.
    said = f"{attempt.reason[:_LONGEST_REASON]}. {left}" if left else attempt.reason
    turn.happened(outcome.value, f"attempt {attempt.number} of {named(attempt.candidate)}: {said}", kind)


def record_of(turn: Turn) -> Record:
    """What must outlive this Rollout, as the status has it now."""
    spec, plan, required = turn.observation.rollout.spec, turn.observation.plan, turn.observation.account_required
    account = account_of(spec, plan, turn.observation.record, required=required)
    status, before = turn.status, turn.observation.rollout.status
    written = {"revision": status.revision + turn.transition, "taken": taken(before, status)}
    return recorded(status.model_copy(update=written), account, turn.now)


def recorded(status: RolloutStatus, account: str | None, written_at: datetime | None) -> Record:
    """What of a status must outlive its Rollout, whose routers were written as that account."""
    return Record(
        stable=status.stable,
        revision=status.revision,
        attempt=max(status.attempts, status.attempt.number if status.attempt else 0),
        rejected=status.rejected,
        versions=dict(reversed([(ref.version, ref.digest) for ref in names(status)])),
        service_account_name=account,
        written_at=written_at,
    )
