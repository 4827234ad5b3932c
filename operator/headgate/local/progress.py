"""Shows on stderr how a long build goes: rewriting one line on a terminal, a line now and then elsewhere."""

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_TERMINAL_PERIOD = 0.2
_LOG_PERIOD = 10.0


@dataclass(slots=True)
class Progress:
    """What `go build` has told so far, and when it was last shown."""

    title: str
    total: int = 0
    """How many packages the program has; those that Go has cached are not compiled again, nor counted."""
    out: TextIO = field(default_factory=lambda: sys.stderr)
    compiled: int = 0
    downloaded: int = 0
    _started: float = field(default_factory=time.monotonic)
    _shown: float = field(default_factory=lambda: time.monotonic() - _LOG_PERIOD)
    _width: int = 0

    @property
    def elapsed(self) -> float:
        """Seconds since the build began."""
        return time.monotonic() - self._started

    def follow(self, log: TextIO) -> None:
        """Count what `go build -v` has logged since the last time, and show it unless that was done just now."""
        for line in log:
            if line.startswith("go: downloading "):
                self.downloaded += 1
            elif line.strip() and " " not in line:
                self.compiled += 1
        period = _TERMINAL_PERIOD if self.out.isatty() else _LOG_PERIOD
        if time.monotonic() - self._shown >= period:
            self._shown = time.monotonic()
            self._write(f"{self.title}: {self._counts()}, {self._clock()}", end=False)

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self._write(f"{self.title}: {text}", end=True)

    def finish(self, outcome: str) -> None:
        """Show the last line."""
        self._write(f"{self.title}: {outcome} after {self._clock()}", end=True)

    def _counts(self) -> str:
        if not self.compiled:
            return f"{self.downloaded} modules downloaded"
        return f"{self.compiled} of at most {self.total} packages compiled"

    def _clock(self) -> str:
        minutes, seconds = divmod(int(self.elapsed), 60)
        return f"{minutes}:{seconds:02d} min"

    def _write(self, text: str, *, end: bool) -> None:
        if not self.out.isatty():
            self.out.write(f"{text}\n")
        else:
            self.out.write(f"\r{text.ljust(self._width)}" + ("\n" if end else ""))
            self._width = len(text)
        self.out.flush()
