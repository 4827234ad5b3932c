"""An alert as it is stored on a Rollout: an annotation that names its attempt, so that a stale one does nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headgate.api.rollout import AlertAction
from headgate.engine.annotations import PREFIX

ALERT = f"{PREFIX}alert"

LONGEST_NOTE = 1024
"""The longest annotation, in bytes; anything longer was not written by headgate."""

LONGEST_KEY = 253
_WIDEST = 6
"""The most bytes that one character takes."""

_ACTIONS = frozenset(action.value for action in AlertAction)
_SEVERITY = {AlertAction.NOTIFY: 0, AlertAction.PAUSE: 1, AlertAction.ROLLBACK: 2}


@dataclass(frozen=True, slots=True)
class AlertNote:
    """What an alert asks of one attempt."""

    attempt: int
    action: AlertAction
    key: str
    """Which alert this is: the Rollout's UID, the alert's fingerprint and since when it fires."""
    name: str
    """The alert's name."""
    text: str
    """The alert, for people."""

    def written(self) -> str:
        """The annotation; the text is cut so that all of it stays within LONGEST_NOTE bytes."""
        written, text = _json(self), self.text
        while text and (over := len(written.encode()) - LONGEST_NOTE) > 0:
            text = text[: -max(1, over // _WIDEST)]
            written = _json(replace(self, text=text))
        return written


def severity(action: AlertAction) -> int:
    """How much an action does; what does more is higher."""
    return _SEVERITY[action]


def alert_note(annotations: Mapping[str, str]) -> AlertNote | None:
    """The alert that is stored among those annotations; None when there is none that headgate could have written."""
    written = annotations.get(ALERT, "")
    if not written or len(written) > LONGEST_NOTE:
        return None
    try:
        read = json.loads(written)
    except (ValueError, RecursionError):
        return None
    match read:
        case {"attempt": int(attempt), "action": str(action), "key": str(key), "name": str(name), "text": str(text)}:
            if isinstance(attempt, bool) or action not in _ACTIONS or not 0 < len(key) <= LONGEST_KEY:
                return None
            return AlertNote(attempt, AlertAction(action), key, name, text)
        case _:
            return None


def _json(note: AlertNote) -> str:
    fields = {"attempt": note.attempt, "action": note.action.value, "key": note.key, "name": note.name}
    return json.dumps({**fields, "text": note.text}, ensure_ascii=False)
