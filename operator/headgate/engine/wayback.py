"""The way back: absorbing, and deaf to everything but the routers. Asks no source, no gate and nobody's health."""

from headgate.api.plain_text import plain
from headgate.api.rollout_status import AttemptState, Outcome, Rejection
from headgate.engine.decision import NoticeKind, SpecRestore
from headgate.engine.ending import end, record_of
from headgate.engine.routers import is_back
from headgate.engine.target import restore_target
from headgate.engine.turn import Turn, named

MOST_REJECTED = 20


def begin(turn: Turn, outcome: Outcome, reason: str, *, reject: bool) -> None:
    """Commits the attempt to its end: weight 0, the reason and, for a rejection, the digest among the rejected."""
    attempt, reason = turn.flight, plain(reason)
    if reject:
        turn.change(rejected=with_rejection(turn, reason))
    turn.change(weight=0)
    turn.change_attempt(state=AttemptState.ROLLING_BACK, outcome=outcome, reason=reason[:1024], paused=None)
    # A promotion that was put on record and then overtaken by this end must not stay there.
    turn.remember(recorded=None)
    turn.questions.clear()
    turn.urgent = True
    turn.happened(
        "RollingBack" if reject else "Withdrawing",
        f"attempt {attempt.number} of {named(attempt.candidate)}: {reason}",
        NoticeKind.WARNING if reject else NoticeKind.NORMAL,
    )


def go_on(turn: Turn) -> None:
    """Ends the attempt once every router is back, the rejection is on record and the spec is dealt with."""
    attempt = turn.flight
    rejecting = attempt.outcome is Outcome.ROLLED_BACK
    turn.urgent = True
    waits = False
    if rejecting:
        _keep_record(turn)
        waits = _restore_spec(turn)
    if not is_back(turn) or waits or turn.record is not None:
        return
    end(turn)


def with_rejection(turn: Turn, reason: str) -> list[Rejection]:
    """The rejected digests with the present candidate's first; the oldest make room."""
    attempt = turn.flight
    mine = Rejection.model_construct(
        digest=attempt.candidate.digest,
        version=attempt.candidate.version,
        attempt=attempt.number,
        reason=reason[:1024],
        at=turn.now,
    )
    others = [known for known in turn.status.rejected if known.digest != mine.digest]
    return [mine, *others][:MOST_REJECTED]


def _keep_record(turn: Turn) -> None:
    if turn.memory.recorded is None or turn.memory.recorded < turn.status.revision:
        turn.record = record_of(turn)


def _restore_spec(turn: Turn) -> bool:
    """Whether what is released still is the rejected version, so that it must be put back first."""
    attempt, view = turn.flight, turn.observation.rollout
    if turn.memory.restored == attempt.number or turn.status.stable is None:
        return False
    if turn.status.stable.target is not None:
        return restore_target(turn, turn.status.stable, turn.status.stable.target)
    if view.spec is None or view.spec.prompt is None:
        return False
    asked = view.spec.prompt.version
    known = turn.observation.versions.get(asked)
    renamed = known is not None and known.digest == attempt.candidate.digest
    if asked == attempt.candidate.version or (renamed and asked != turn.status.stable.version):
        turn.restore = SpecRestore(attempt.number, asked, turn.status.stable.version)
    return turn.restore is not None
