"""The way back: absorbing, and deaf to everything but the routers. Asks no source, no gate and nobody's health."""

from datetime import timedelta

from headgate.api.plain_text import plain
from headgate.api.rollout_status import AttemptState, Outcome, Rejection, StableRef
from headgate.engine.annotations import retry_of
from headgate.engine.authority import still_speaks
from headgate.engine.decision import NoticeKind, SpecRestore
from headgate.engine.ending import end, record_of
from headgate.engine.keeping import change, is_left_alone, other_family, put_back, still_asked
from headgate.engine.routers import is_back
from headgate.engine.target import LONGEST_PAUSE, has_no_way_back, restore_target, stall_unseen
from headgate.engine.turn import Turn, named
from headgate.engine.way_out import way_out

MOST_REJECTED = 20
RESTORE_REFUSED = "RestoreRefused"
LONGEST_AFTER_IT = timedelta(hours=1)
"""How long a target is tried to be put back after its Rollout was deleted."""


def begin(turn: Turn, outcome: Outcome, reason: str, *, reject: bool) -> None:
    """Commits the attempt to its end: weight 0, the reason and, for a rejection, the digest among the rejected.

    A rejection is put on record right after everybody is back, so that a Rollout deleted and applied again knows of it.
    """
    attempt, reason = turn.flight, plain(reason)
    if reject:
        turn.change(rejected=with_rejection(turn, reason))
    turn.change(weight=0)
    turn.change_attempt(state=AttemptState.ROLLING_BACK, outcome=outcome, reason=reason[:1024], paused=None)
    # A promotion that was put on record and then overtaken by this end must not stay there.
    # And what could not be kept before is tried at once.
    turn.remember(recorded=None, unkept=None)
    turn.questions.clear()
    turn.urgent = True
    turn.happened(
        "RollingBack" if reject else "Withdrawing",
        f"attempt {attempt.number} of {named(attempt.candidate)}: {reason}",
        NoticeKind.WARNING if reject else NoticeKind.NORMAL,
    )
    if reject:
        turn.record = record_of(turn)
        if turn.status.rejected[0].ignored_retry is not None:
            why = f"the retry of attempt {attempt.number} was written before its rejection, which stays"
            turn.tell("RetryIgnored", f"{why}; to lift it: headgate retry {turn.observation.rollout.name}")


def go_on(turn: Turn) -> None:
    """Ends the attempt once every router is back, the rejection is on record and the spec is dealt with."""
    attempt = turn.flight
    rejecting = attempt.outcome is Outcome.ROLLED_BACK
    turn.urgent = True
    on_record, waits = True, False
    if rejecting:
        on_record = _keep_record(turn)
        waits = _restore_spec(turn)
    if not is_back(turn) or waits or not on_record:
        return
    if rejecting and still_asked(turn) is not None:
        _leave_spec(turn)
    else:
        end(turn)


def restore_after_it(turn: Turn) -> None:
    """Of a Rollout that is deleted: puts back what its rejected attempt left in a target, which outlives it.

    With nobody left to be told it is not tried without end.
    """
    attempt, stable = turn.attempt, turn.status.stable
    if attempt is None or attempt.state is AttemptState.ENDED or stable is None or stable.target is None:
        return
    if all(known.attempt != attempt.number for known in turn.status.rejected):
        return
    until = turn.memory.restoring_until or turn.now + LONGEST_AFTER_IT
    turn.remember(restoring_until=until)
    if turn.now < until:
        _restore_spec(turn)


def with_rejection(turn: Turn, reason: str) -> list[Rejection]:
    """The rejected digests with the present candidate's first; the oldest make room."""
    attempt = turn.flight
    mine = Rejection.model_construct(
        digest=attempt.candidate.digest,
        version=attempt.candidate.version,
        attempt=attempt.number,
        reason=reason[:1024],
        at=turn.now,
        # Whoever wrote it knew nothing of this rejection.
        ignored_retry=retry_of(turn.observation.rollout.annotations, attempt.number),
    )
    others = [known for known in turn.status.rejected if known.digest != mine.digest]
    return [mine, *others][:MOST_REJECTED]


def _keep_record(turn: Turn) -> bool:
    """Whether the rejection is on record; where that was refused it is tried again ever later."""
    if turn.memory.recorded is not None and turn.memory.recorded >= turn.status.revision:
        return True
    if (failed := turn.memory.unkept) is not None:
        turn.stall(failed.reason, failed.message, invalid=False)
    if not has_no_way_back(turn):
        turn.record = record_of(turn)
    return False


def _restore_spec(turn: Turn) -> bool:
    """Whether what is released is the rejected version, or may be for all that is to be seen: it is put back first."""
    attempt, stable, asked = turn.flight, turn.status.stable, still_asked(turn)
    if turn.memory.restored == attempt.number or stable is None or is_left_alone(turn):
        return False
    if asked is None:
        return stall_unseen(turn)
    if _is_put_off(turn, stable):
        return True
    if stable.target is not None:
        turn.restore = restore_target(turn, stable, stable.target)
    else:
        turn.restore = SpecRestore(attempt.number, asked, stable.version, other_family(turn))
    return True


def _is_put_off(turn: Turn, stable: StableRef) -> bool:
    """Whether a restore that did not work is not tried again yet. Its reason stalls the Rollout until one works."""
    failed = turn.memory.unrestored
    if failed is None or failed.attempt != turn.flight.number:
        return False
    # A target is written as whom the spec names, the Rollout itself by headgate.
    if stable.target is not None and not still_speaks(turn, failed.account):
        return False
    how = (
        f"; it is tried again until something else is asked for: {put_back(turn)}"
        if failed.reason == RESTORE_REFUSED
        else ""
    )
    turn.stall(failed.reason, f"{failed.message}{how}", invalid=False)
    if not turn.is_put_off(failed.not_before, LONGEST_PAUSE):
        return False
    turn.wake(failed.not_before)
    return True


def _leave_spec(turn: Turn) -> None:
    """Ends the attempt although what is released still is the rejected version, and says who has to change what."""
    attempt = turn.flight
    turn.change_attempt(still_asked=True)
    rejection = next((known for known in turn.status.rejected if known.digest == attempt.candidate.digest), None)
    if rejection is not None:
        # The same words as those of the next look at rest, so that they are written once.
        turn.stall("Rejected", way_out(turn, rejection), invalid=False)
    end(turn, change(turn))
