"""A little patience with what may only be late: a version that was applied in the same breath as the Rollout."""

from dataclasses import replace
from datetime import timedelta

from headgate.engine.subject import Subject
from headgate.engine.turn import Turn

PATIENCE = {
    "VersionNotFound": timedelta(seconds=2),
    "VersionNotCompiled": timedelta(seconds=10),
    "TargetNotFound": timedelta(seconds=2),
}
"""How long each problem may last before people hear of it; every other one counts at once."""


def patiently(turn: Turn, subject: Subject) -> Subject:
    """The subject; pending instead of a problem while its problem may still pass by itself."""
    patience = PATIENCE.get(subject.problem.reason) if subject.problem is not None else None
    if patience is None:
        turn.remember(late_since=None)
        return subject
    since = min(turn.memory.late_since or turn.now, turn.now)
    turn.remember(late_since=since)
    if turn.now >= since + patience:
        return subject
    turn.wake(since + patience)
    turn.pending = True
    return replace(subject, problem=None, pending=True)
