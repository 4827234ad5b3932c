"""What people ask for through annotations. Each names its attempt, so that a stale one does nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "headgate.dev/"
APPROVE = f"{PREFIX}approve"
ABORT = f"{PREFIX}abort"
RETRY = f"{PREFIX}retry"
PROMOTE = f"{PREFIX}promote"
RESUME = f"{PREFIX}resume"

ASKS = (APPROVE, ABORT, RETRY, PROMOTE, RESUME)
"""All by which people ask for something."""

LONGEST = 100
"""The longest text that can name an attempt and a step; anything longer is nobody's."""

_MOST_DIGITS = 16
"""Of a number: as many as the highest has that a status can come to."""

BAKE = "bake"
"""The name under which the bake is promoted: ``headgate.dev/promote: "3/bake"``."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One annotation, read: ``3`` or ``3/beta``."""

    attempt: int
    step: str | None
    written: str


def retry_of(annotations: Mapping[str, str], attempt: int) -> str | None:
    """What is written as the retry of that attempt; None when nothing is, or another is meant."""
    asked = ask(annotations, RETRY)
    return asked.written if asked is not None and asked.attempt == attempt else None


def ask(annotations: Mapping[str, str], name: str) -> Ask | None:
    """The annotation of that name; None when it is missing or names no attempt."""
    written = annotations.get(name, "").strip()
    number, _, step = written.partition("/")
    if not number.isdecimal() or len(number) > _MOST_DIGITS or len(written) > LONGEST:
        return None
    return Ask(int(number), step or None, written)
