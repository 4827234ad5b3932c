"""Waits until something that is looked at again and again is as wanted. A deadline ends every wait; nothing sleeps."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_PERIOD = 0.05
PATIENCE = 40.0
"""Seconds that anything may take on a machine that is busy with other things; most of it takes a tenth of one."""


class NeverHappened(AssertionError):
    """What was waited for did not come; the text shows what was there instead."""


def eventually(look: Callable[[], _T], wanted: Callable[[_T], bool] = bool, *, within: float = PATIENCE) -> _T:
    """What was seen once it was as wanted; a KeyError or IndexError in ``wanted`` means: not yet.

    Raises NeverHappened with what was seen last after ``within`` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        seen = look()
        try:
            if wanted(seen):
                return seen
        except (KeyError, IndexError):
            pass
        if time.monotonic() >= deadline:
            raise NeverHappened(f"after {within:.0f} s it is still\n{json.dumps(seen, indent=1, default=str)}")
        time.sleep(_PERIOD)
