"""An alert as it is stored on a Rollout: an annotation that names its attempt, so that a stale one does nothing."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from headgate.api.rollout import AlertAction
from headgate.engine.annotations import PREFIX

ALERT = f"{PREFIX}alert"

LONGEST_NOTE = 1024
"""The longest annotation, in bytes; anything longer was not written by headgate."""

LONGEST_KEY = 253
_WIDEST = 6
"""The most bytes that one character takes."""

_LETTERS = 12
_MOST_OTHERS = 19
"""As many marks as one entry of status.attempt.alerts takes."""
MOST_HEARD = 16
"""How many entries an attempt has for the alerts that it heard."""
_MOST_WHOLE = MOST_HEARD // 2
_OTHERS = re.compile(rf"[0-9a-f]{{{_LETTERS}}}(,[0-9a-f]{{{_LETTERS}}}){{0,{_MOST_OTHERS - 1}}}")

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
    others: str = ""
    """The marks of other alerts that came with it and that it stands for too, joined by commas."""

    def written(self) -> str:
        """The annotation; the text is cut so that all of it stays within LONGEST_NOTE bytes."""
        written, text = _json(self), self.text
        while text and (over := len(written.encode()) - LONGEST_NOTE) > 0:
            text = text[: -max(1, over // _WIDEST)]
            written = _json(replace(self, text=text))
        return written


def mark(key: str) -> str:
    """A key in few letters, for those of many alerts."""
    return hashlib.sha256(key.encode()).hexdigest()[:_LETTERS]


def joined(keys: Iterable[str]) -> str:
    """The marks of those keys, of as many as there is room for."""
    return ",".join(map(mark, islice(keys, _MOST_OTHERS)))


def marks(known: Iterable[str]) -> frozenset[str]:
    """Those keys and marks, the joined ones one by one."""
    return frozenset(each for entry in known for each in entry.split(","))


def remembered(heard: Sequence[str]) -> list[str]:
    """Those entries, newest first, in as many as an attempt has: the older ones as marks, of which each takes many."""
    if len(heard) <= MOST_HEARD:
        return [*heard]
    whole, older = heard[:_MOST_WHOLE], heard[_MOST_WHOLE:]
    few = [each for entry in older for each in (entry.split(",") if _OTHERS.fullmatch(entry) else [mark(entry)])]
    packed = [",".join(few[start : start + _MOST_OTHERS]) for start in range(0, len(few), _MOST_OTHERS)]
    return [*whole, *packed][:MOST_HEARD]


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
            others = read.get("others")
            known = others if isinstance(others, str) and _OTHERS.fullmatch(others) else ""
            return AlertNote(attempt, AlertAction(action), key, name, text, known)
        case _:
            return None


def _json(note: AlertNote) -> str:
    fields = {"attempt": note.attempt, "action": note.action.value, "key": note.key, "name": note.name}
    others = {"others": note.others} if note.others else {}
    return json.dumps({**fields, **others, "text": note.text}, ensure_ascii=False)
