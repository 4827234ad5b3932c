"""The user's cache directory, where programs that were built once are kept."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def directory() -> Path:
    """`$XDG_CACHE_HOME/headgate`, else `~/.cache/headgate`; need not exist."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    base = Path(configured) if configured.startswith("/") else Path.home() / ".cache"
    return base / "headgate"


@contextmanager
def locked(lock: Path, *, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file alone among all processes; the kernel lets go of it when its holder dies.

    `on_wait` is called once when another one holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
