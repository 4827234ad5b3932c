"""Operators as processes of their own that start quickly, because they are forked off a prepared one."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import headgate.local

_ATTACH = Path(headgate.local.__file__).with_name("attach.py")
_ZYGOTE = Path(__file__).with_name("zygote.py")
_UNKNOWN = -1


class Forked:
    """An operator that somebody else forked: its end can be waited for, its exit status is not known."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle = None

    def poll(self) -> int | None:
        return self._ended(0)

    def send_signal(self, sig: int, /) -> None:
        if self._handle is not None:
            try:
                signal.pidfd_send_signal(self._handle, sig)
            except ProcessLookupError:
                self._close()

    def wait(self, timeout: float | None = None) -> int:
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self._pid}", timeout or 0)
        return status

    def _ended(self, timeout: float | None) -> int | None:
        if self._handle is not None:
            waiting = select.poll()
            waiting.register(self._handle, select.POLLIN)
            if not waiting.poll(None if timeout is None else timeout * 1000):
                return None
            self._close()
        return _UNKNOWN

    def _close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class Nursery:
    """The prepared process; a context manager that ends it and all that it forked."""

    def __enter__(self) -> Self:
        command = [sys.executable, str(_ATTACH), str(os.getpid()), sys.executable, str(_ZYGOTE)]
        self._zygote = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._turn = threading.Lock()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(timeout=10)
        self._zygote.stdout.close()

    def launch(self, arguments: list[str], log: Path) -> Forked:
        """`headgate` with those arguments, in a process of its own."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        with self._turn:
            order = json.dumps({"arguments": arguments, "log": str(log)})
            self._zygote.stdin.write(f"{order}\n".encode())
            self._zygote.stdin.flush()
            return Forked(int(self._zygote.stdout.readline()))
