"""Pausing an attempt, for whatever was seen: a gate's check, or an alert."""

from headgate.api.rollout_status import PauseRecord
from headgate.engine.annotations import RESUME, ask
from headgate.engine.turn import Turn


def pause(turn: Turn, record: PauseRecord) -> None:
    """Pauses the attempt in flight until somebody resumes; a resume that was written before knew nothing of this."""
    earlier = ask(turn.observation.rollout.annotations, RESUME)
    turn.change_attempt(paused=record, resumed=earlier.written if earlier is not None else None)
