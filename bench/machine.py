"""What the figures were measured on, since a figure without its machine means little."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headgate import __version__


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine now."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    headgate: str
    at: str
    load_average: float
    """Of the last minute, before the first benchmark began: well above 0 means that others are at work here."""


def describe() -> Machine:
    """Read from the kernel; what cannot be read is said to be unknown."""
    return Machine(
        processor=_entry("/proc/cpuinfo", "model name") or platform.machine() or "unknown",
        cores=os.cpu_count() or 0,
        memory_gib=round(int((_entry("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 1024 / 1024, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        headgate=__version__,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        load_average=os.getloadavg()[0],
    )


def busy_seconds() -> float:
    """CPU seconds that all programs of this machine have used since it started, over all cores."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _waiting, *interrupts = fields[:7]
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _entry(file: str, key: str) -> str | None:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)
