"""Pausing an attempt, for whatever was seen: a gate's check, or an alert. And what ends that again."""

from headgate.api.rollout_status import Attempt, PauseRecord
from headgate.engine.annotations import RESUME, ask
from headgate.engine.turn import Turn

BY_ALERT = "alert/"
"""What the alert's name stands behind, where an alert paused."""


def pause(turn: Turn, record: PauseRecord) -> None:
    """Pauses the attempt in flight until somebody resumes; a resume that was written before knew nothing of this."""
    earlier = ask(turn.observation.rollout.annotations, RESUME)
    turn.change_attempt(paused=record, resumed=earlier.written if earlier is not None else None)


def paused_by(turn: Turn, record: PauseRecord) -> str:
    """Who paused the attempt in flight and for what, and how it goes on."""
    why = f" ({record.reason})" if record.reason else ""
    how = f"headgate resume {turn.observation.rollout.name} ({RESUME}: {resume_token(turn.flight)})"
    return f"paused by {record.check}{why}; resume with: {how}"


def resume_token(attempt: Attempt) -> str:
    """An annotation that ends the attempt's pause: one that was acted upon, or was there before it, would not."""
    number = str(attempt.number)
    if attempt.resumed != number:
        return number
    return f"{number}/{attempt.step.name}" if attempt.step is not None else f"{number}/verifying"
