"""Who wrote what, as the API server wrote it down."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """A mutating request, granted or not."""

    verb: str
    resource: str
    name: str
    status: int
    at: str


class Audit:
    """The audit log from this moment on."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._start = log.stat().st_size

    def writes_by(self, user: str) -> list[Write]:
        """What that user wrote or tried to write, Leases left out."""
        return [
            Write(
                verb=entry["verb"],
                resource=about["resource"],
                name=about.get("name", ""),
                status=entry["responseStatus"]["code"],
                at=entry["requestReceivedTimestamp"],
            )
            for entry in self._entries()
            if entry["user"]["username"] == user
            and entry["verb"] in ("create", "patch", "update", "delete")
            and (about := entry["objectRef"])["resource"] != "leases"
        ]

    def _entries(self) -> list[dict[str, Any]]:
        with self._log.open() as lines:
            lines.seek(self._start)
            return [json.loads(line) for line in lines if line.endswith("\n")]
