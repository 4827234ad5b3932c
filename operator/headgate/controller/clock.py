"""The operator's one clock: what time it is, as the engine and as the scheduler read it."""

import time
from datetime import UTC, datetime

_LEASE_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux alone has a clock that counts the time that a suspended machine missed."""


def now() -> datetime:
    """This moment: aware, UTC, in whole milliseconds, as statuses hold it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def boottime() -> float:
    """Seconds that only grow, and go on while the machine sleeps or this process is stopped. For leases."""
    return time.clock_gettime(_LEASE_CLOCK)


def monotonic() -> float:
    """Seconds that only grow, for measuring how long something took."""
    return time.monotonic()
