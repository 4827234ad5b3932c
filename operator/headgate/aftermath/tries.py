"""One hook from its first try to its end: again after growing pauses, within its time. Knows no HTTP and no Job.

Its time begins with the revert and not with the process: else every restart would begin it anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from headgate.engine.hooks import DueHook

_FIRST_PAUSE = 1.0
_GROWTH = 4.0
_LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 300.0
"""No receiver puts the next try off by more seconds than this."""


class FailedTry(Exception):
    """This try did not work; the text says why, in one line, without an address or a receiver's own words."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that it is to be left alone, when whoever was asked said so."""


class HookFailed(Exception):
    """It ended, and not well; trying again would not help. The text says why."""


class Call(Protocol):
    """What a hook does."""

    @property
    def what(self) -> str:
        """What is called, for people."""
        ...

    async def begin(self) -> None:
        """One try of what may be tried again. Raises FailedTry."""
        ...

    async def find(self) -> None:
        """Finds what was begun before, now that its time is over. Raises HookFailed when nothing was, FailedTry."""
        ...

    async def outcome(self) -> str:
        """Waits for the end of what was begun; what came of it, for people. Raises HookFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How a hook ended."""

    succeeded: bool
    message: str
    tries: int


Sleep = Callable[[float], Awaitable[None]]
Now = Callable[[], datetime]


async def run(hook: DueHook, call: Call, now: Now, grace: float = 0.0, sleep: Sleep = asyncio.sleep) -> Ending:
    """Tries until it works, until it was tried ``hook.retries`` times again, or until its time is over.

    ``grace`` seconds beyond that time, and of now where it is over already, are left to hear how it ended by itself.
    """
    tries, last = 0, ""
    try:
        async with asyncio.timeout(max(0.0, hook.left(now())) + grace):
            while True:
                tries += 1
                over = hook.left(now()) <= 0
                try:
                    await (call.find() if over else call.begin())
                    return Ending(succeeded=True, message=await call.outcome(), tries=tries)
                except HookFailed as error:
                    return Ending(succeeded=False, message=f"{error}{_and(last) if over else ''}", tries=tries)
                except FailedTry as error:
                    last = str(error)
                    if tries > hook.retries:
                        return Ending(succeeded=False, message=last, tries=tries)
                    await sleep(pause(tries, error.retry_after))
    except TimeoutError:
        message = f"{call.what} did not end within {hook.timeout:.0f} s{_and(last)}"
        return Ending(succeeded=False, message=message, tries=tries)


def _and(last: str) -> str:
    return f"; last: {last}" if last else ""


def pause(tries: int, retry_after: float | None) -> float:
    """Seconds until the next try, after so many: 1, 4, 16, then 60; longer where the other side asks for it."""
    own = min(_FIRST_PAUSE * _GROWTH ** min(tries - 1, 10), _LONGEST_PAUSE)
    return max(own, min(retry_after or 0.0, LONGEST_RETRY_AFTER))
