"""Waits for a condition of another process, which can only be asked for again and again."""

import time
from collections.abc import Callable

from headgate.local.errors import LocalError
from headgate.local.processes import Process

_PERIOD = 0.05


def wait_until(condition: Callable[[], bool], *, timeout: float, otherwise: Callable[[], str]) -> None:
    """Return as soon as the condition holds.

    Raises:
        LocalError: it does not within `timeout` seconds; `otherwise` gives the message then.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            raise LocalError(otherwise())
        time.sleep(_PERIOD)


def wait_until_serving(process: Process, is_ready: Callable[[], bool], *, timeout: float) -> None:
    """Return when a server that was just started is ready.

    Raises:
        LocalError: it ends before, or is not ready within `timeout` seconds; with what it said last.
    """

    def said() -> str:
        return f"{process.last_words()} (whole output: {process.log})"

    def is_ready_and_running() -> bool:
        if not process.is_running():
            raise LocalError(f"{process.name} ended while starting: {said()}")
        return is_ready()

    wait_until(
        is_ready_and_running,
        timeout=timeout,
        otherwise=lambda: f"{process.name} is not ready after {timeout:.0f} s: {said()}",
    )
