"""Programs with a log file: attached ones end with this process, detached ones outlive it; all are stopped by pid."""

import contextlib
import os
import random
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from headgate.local import process_identity
from headgate.local.errors import LocalError

_ATTACH = Path(__file__).with_name("attach.py")
# Below the range from which the kernel takes ports for outgoing connections, so that nothing grabs one in between.
_PORTS = range(15000, 30000)
_offered: deque[int] = deque(maxlen=1000)
_LAST_WORDS = 1000
# The kernel sends the death signal when the *thread* that started the child ends: so one thread that never ends early.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="headgate-start")


@dataclass(frozen=True, slots=True)
class Process:
    """A running program, known by its pid and by when it started."""

    name: str
    pid: int
    identity: str
    """Differs for a later process that got the same pid."""
    log: Path

    def is_running(self) -> bool:
        """Whether it still runs; reaps it when it was a child of this process and has ended."""
        with contextlib.suppress(ChildProcessError):
            ended, _ = os.waitpid(self.pid, os.WNOHANG)
            # Of a zombie that cannot be reaped yet other threads still run, and hold its ports.
            return not ended and process_identity.of(self.pid) in (self.identity, None)
        return process_identity.of(self.pid) == self.identity

    def stop(self, grace: float = 10.0) -> None:
        """End it: SIGTERM, and SIGKILL after `grace` seconds. Nothing happens when it has ended already."""
        for end, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            if not self.is_running():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, end)
            if self.wait(patience):
                return
        raise LocalError(f"{self.name} (pid {self.pid}) does not end even by SIGKILL: see {self.log}")

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(10.0)

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended; False when it still runs after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def last_words(self) -> str:
        """The last line of its log that says something, for an error message."""
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines()]
        # A fatal error of etcd carries its stack trace in the same line.
        return next((line[:_LAST_WORDS] for line in reversed(lines) if line), "it said nothing")


_PROCESS = TypeAdapter(Process)


def start(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    pid_directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a program, given by its path and arguments, whose output is appended to `log`.

    It is attached: killed when this process ends in any way. With a `pid_directory` it is detached instead: in a
    session of its own it stays, and `started_in` finds it again, even when this process ends in the next moment.
    A Ctrl-C at the terminal reaches neither, so that servers can be stopped in order.

    Raises:
        LocalError: it cannot be started.
    """
    arguments = [str(part) for part in command]
    if pid_directory is None:
        arguments = [sys.executable, "-I", "-S", str(_ATTACH), str(os.getpid()), *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    # Files of this process are not inherited: Python opens each close-on-exec.
    redirections = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]

    def spawn() -> int:
        return os.posix_spawn(
            arguments[0],
            arguments,
            dict(os.environ if environment is None else environment),
            file_actions=redirections,
            setsigdef=[signal.SIGPIPE],
            **({"setpgroup": 0} if pid_directory is None else {"setsid": True}),
        )

    try:
        pid = _STARTER.submit(spawn).result()
    except OSError as error:
        raise LocalError(f"{name} cannot be started: {error.strerror} ({command[0]})") from error
    identity = process_identity.of(pid)
    if identity is None:
        raise LocalError(f"{name} ended as soon as it was started: see {log}")
    process = Process(name, pid, identity, log)
    if pid_directory is not None:
        pid_directory.mkdir(parents=True, exist_ok=True)
        (pid_directory / f"{name}.json").write_bytes(_PROCESS.dump_json(process))
    return process


def started_in(pid_directory: Path) -> list[Process]:
    """The detached programs that were started with this directory, whether they still run or not.

    Raises:
        LocalError: a pid file is damaged.
    """
    found = []
    for file in sorted(pid_directory.glob("*.json")):
        try:
            found.append(_PROCESS.validate_json(file.read_bytes()))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise LocalError(f"{file}: {reason}: end that program yourself, then remove the file") from error
    return found


def free_port() -> int:
    """A TCP port on 127.0.0.1 on which nobody listens now; another process may still be quicker to take it.

    What was offered lately may be somebody's who is being started again, and is not offered again.
    """
    for port in random.sample(_PORTS, k=200):
        if port in _offered:
            continue
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            _offered.append(port)
            return port
    raise LocalError(f"no port from {_PORTS.start} to {_PORTS.stop} is free on 127.0.0.1")
