"""The demo as its user starts it, and everything that it starts in turn."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from headgate.local.waiting import wait_until

_MARK = "HEADGATE_DEMO_TEST"


class DemoProcess:
    """A `headgate demo` whose descendants all carry its mark in their environment."""

    def __init__(self, scratch: Path, *, seconds_per_step: int) -> None:
        self.scratch = scratch / "tmp"
        """Where it makes its temporary files."""
        self.scratch.mkdir()
        self._mark = f"{_MARK}={uuid.uuid4()}"
        self._output = bytearray()
        name, _, value = self._mark.partition("=")
        environment = {**os.environ, name: value, "TMPDIR": str(self.scratch), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", "from headgate.cli.main import main; main()"),
                *("demo", "--seconds-per-step", str(seconds_per_step)),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def output(self) -> str:
        """What it said so far."""
        return bytes(self._output).decode()

    def until_it_says(self, text: str, timeout: float = 60.0) -> None:
        """Wait for this text in its output."""
        wait_until(lambda: text in self.output, timeout=timeout, otherwise=lambda: f"no {text!r} in: {self.output}")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def exit_status(self, timeout: float) -> int:
        """Wait for its end."""
        status = self._process.wait(timeout)
        self._reader.join()
        return status

    def descendants(self) -> dict[int, str]:
        """The command lines of all running processes that carry its mark, by pid."""
        found = {}
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                marked = self._mark.encode() in (directory / "environ").read_bytes().split(b"\0")
                command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                # It ended in this moment, or is somebody else's.
                continue
            if marked and int(directory.name) != self._process.pid:
                found[int(directory.name)] = command
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Its children are bound to its life.
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        output = self._process.stdout
        assert output is not None
        while chunk := os.read(output.fileno(), 65536):
            self._output += chunk
