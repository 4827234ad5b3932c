"""Tells one process from a later one that got the same pid, so that a stale pid file never kills a stranger."""

import subprocess
from pathlib import Path


def of(pid: int) -> str | None:
    """An identity of the running process with this pid, or None when there is none (a zombie has ended)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _by_ps(pid)
    except ProcessLookupError:
        return None
    # The name in parentheses may hold anything, parentheses too; what follows is plain (proc_pid_stat(5)).
    fields = status.rpartition(")")[2].split()
    state, started_at = fields[0], fields[19]
    if state in {"Z", "X"}:
        return None
    # Start times count from boot, so the boot belongs to the identity.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{started_at}"


def _by_ps(pid: int) -> str | None:
    """The same where there is no /proc, as on macOS."""
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started_at = answer.stdout.strip().partition(" ")
    return started_at.strip() if state and not state.startswith("Z") else None
