"""Ctrl-C and SIGTERM: the first ends the demo in order, at whatever moment; more of them disturb nothing."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self, TypeAlias

_Handler: TypeAlias = signal.Handlers | Callable[[int, FrameType | None], object] | int | None


class Interruption:
    """Turns the first signal into a KeyboardInterrupt, or into the cancelling of a task, where an event loop runs."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, _Handler] = {}
        self._cancel: Callable[[], object] | None = None
        self._came = False

    @contextmanager
    def cancelling_the_task(self) -> Iterator[None]:
        """Within it the signal cancels the current task."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is not None:
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            yield
        finally:
            self._cancel = None

    def disregard(self) -> None:
        """From now on no signal disturbs."""
        self._came = True

    def __enter__(self) -> Self:
        # Also where a shell's "&" has SIGINT ignored; but who is started by nohup wants to survive the terminal.
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            wanted.append(signal.SIGHUP)
        self._before = {number: signal.signal(number, self._handle) for number in wanted}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._came:
            return
        self._came = True
        if self._cancel is None:
            raise KeyboardInterrupt
        self._cancel()
