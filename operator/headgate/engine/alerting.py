"""What an alert does to the attempt that it names: takes it back, pauses it, or is told of once."""

from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import PauseRecord
from headgate.engine.alert_note import AlertNote, alert_note, mark, marks, remembered
from headgate.engine.decision import NoticeKind
from headgate.engine.pausing import BY_ALERT, pause
from headgate.engine.turn import Turn


def alert_to_revert(turn: Turn) -> AlertNote | None:
    """The alert that takes this attempt back, stored or not, if there is one."""
    for note in (_note(turn), turn.observation.unstored_alert):
        if note is not None and note.attempt == turn.flight.number and note.action is AlertAction.ROLLBACK:
            return note
    return None


def heed(turn: Turn) -> None:
    """Pauses, or tells, as a stored alert asks; each alert once in an attempt."""
    note = _note(turn)
    if note is None or note.action is AlertAction.ROLLBACK or marks(turn.flight.alerts) & {note.key, mark(note.key)}:
        return
    attempt = turn.flight
    heard = [note.key, note.others] if note.others else [note.key]
    turn.change_attempt(alerts=remembered([*heard, *attempt.alerts]))
    message = f"attempt {attempt.number}: alert: {note.text}"
    if note.action is AlertAction.NOTIFY or attempt.paused is not None:
        turn.happened("AlertFiring", message, NoticeKind.WARNING)
        return
    paused = PauseRecord.model_construct(at=turn.now, check=f"{BY_ALERT}{note.name}"[:253], reason=note.text[:1024])
    pause(turn, paused)
    turn.happened("PausedByAlert", message, NoticeKind.WARNING)


def _note(turn: Turn) -> AlertNote | None:
    note = alert_note(turn.observation.rollout.annotations)
    return note if note is not None and note.attempt == turn.flight.number else None
