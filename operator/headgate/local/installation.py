"""What `up` leaves in its directory for `down`, and for the person who uses it: pid files and `local.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from headgate.local import processes

# A server ends before the one that it stores its data in.
_STOP_ORDER = ("prometheus", "kube-apiserver", "etcd")
PROGRAMS = tuple(reversed(_STOP_ORDER))


class LocalJson(BaseModel):
    """The content of `local.json`, which is there while everything is ready."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    apiserver: str
    prometheus: str
    audit_log: Path
    binaries: Mapping[str, Path]
    """The programs that run, by name."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The files of one local control plane; the directory need not exist."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Held while something is started or stopped here."""
        return self.directory / ".lock"

    @property
    def description(self) -> Path:
        """`local.json`."""
        return self.directory / "local.json"

    @property
    def pid_directory(self) -> Path:
        """A file for each program that was started."""
        return self.directory / "processes"

    def is_up(self) -> bool:
        """Whether everything that a finished `up` started still runs."""
        started = processes.started_in(self.pid_directory)
        running = {process.name for process in started if process.is_running()}
        return self.description.exists() and running == set(PROGRAMS)

    def describe(self, content: LocalJson) -> None:
        """Write `local.json`; whoever waits for it never reads half of it."""
        unfinished = self.description.with_name(".local.json.new")
        unfinished.write_text(content.model_dump_json(by_alias=True, indent=2) + "\n")
        unfinished.replace(self.description)

    def stop(self) -> None:
        """End what still runs, and forget it. A stranger that got the pid of one of them is left alone.

        Raises:
            LocalError: a program does not end, or a pid file is damaged.
        """
        self.description.unlink(missing_ok=True)
        started = processes.started_in(self.pid_directory)
        for process in sorted(started, key=lambda process: _STOP_ORDER.index(process.name)):
            # An API server whose etcd has gone would never end by itself.
            process.stop(grace=3.0)
            (self.pid_directory / f"{process.name}.json").unlink(missing_ok=True)
