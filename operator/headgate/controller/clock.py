"""The operator's one clock: what time it is, as the engine and as the scheduler read it."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """This moment: aware, UTC, in whole milliseconds, as statuses hold it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def monotonic() -> float:
    """Seconds that only grow, for measuring how long something took."""
    return time.monotonic()
