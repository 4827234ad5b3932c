"""A program of the Prometheus family on a port of 127.0.0.1: started, awaited, stopped. Knows none of them by name."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from headgate.local import loopback, processes
from headgate.local.binaries import binary
from headgate.local.processes import Process
from headgate.local.waiting import wait_until_serving


class WebServer(ABC):
    """Serves in a directory of its own; also a context manager that starts and stops it.

    It ends with this process, unless a `pid_directory` detaches it.
    """

    program: ClassVar[str]
    """What it is called, as a binary and in its log."""

    def __init__(self, directory: Path, pid_directory: Path | None = None) -> None:
        self.directory = directory.absolute()
        self._pid_directory = pid_directory
        self._port = 0
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """Where others find it: host and port."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{self.address}"

    @property
    def processes(self) -> tuple[Process, ...]:
        """What was started and not stopped."""
        return () if self._process is None else (self._process,)

    def start(self, *, timeout: float = 30.0) -> Self:
        """Start it, and return when it is ready; after a `stop`, at the same port and with the same data.

        Raises:
            LocalError: it cannot be had, refuses its configuration, or is not ready within `timeout` seconds.
        """
        program = binary(self.program)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        self._port = self._port or processes.free_port()
        command: list[str | Path] = [program, *self._arguments()]
        log = self.directory / "logs" / f"{self.program}.log"
        process = processes.start(self.program, command, log, pid_directory=self._pid_directory)
        self._process = process
        try:
            wait_until_serving(process, lambda: loopback.answers(f"{self.url}/-/ready"), timeout=timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it; nothing happens when it has ended."""
        if self._process is not None:
            self._process.stop(5.0)
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @abstractmethod
    def _write_configuration(self) -> None:
        """Put into the directory what it reads at its start."""

    @abstractmethod
    def _arguments(self) -> list[str | Path]:
        """What it is started with, the port included."""
