"""Who asked the API server for what, from its audit log. Counts, and knows no budget."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.cluster import Document, Server
from tests.integration.waiting import eventually


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was answered."""

    user: str
    agent: str
    verb: str
    path: str
    status: int

    @property
    def writes(self) -> bool:
        return self.verb in ("create", "update", "patch", "delete")

    def __str__(self) -> str:
        return f"{self.verb} {self.path} -> {self.status}"


class AuditLog:
    """The requests of one user that concern one namespace, from now on."""

    def __init__(self, server: Server, namespace: str, user: str) -> None:
        self._server = server
        self._log: Path = server.plane.audit_log
        self._namespace, self._user = namespace, user
        self._marks = 0
        self._start = self._log.stat().st_size

    def requests(self) -> list[Request]:
        """Those up to this moment, but for watches, which end when they like."""
        self._catch_up()
        return [
            request
            for request in self._read()
            if request.user == self._user
            and f"/namespaces/{self._namespace}/" in request.path
            and request.verb != "watch"
        ]

    def requests_within(self, seconds: float) -> list[Request]:
        """Those of the next seconds: that nothing happens in a span of time is what only time itself can show."""
        before, end = len(self.requests()), time.monotonic() + seconds
        eventually(lambda: time.monotonic() >= end)
        return self.requests()[before:]

    def rests(self, seconds: float = 4.0) -> None:
        """Waits until nothing was asked for so many seconds."""
        eventually(lambda: self.requests_within(seconds), lambda requests: not requests)

    def _catch_up(self) -> None:
        """The log is written in the order of answers: once a request of our own is in it, all earlier ones are."""
        self._marks += 1
        mark = f"/version?mark={id(self)}-{self._marks}"
        self._server.send("GET", mark)
        eventually(lambda: mark in self._text())

    def _text(self) -> str:
        with self._log.open() as log:
            log.seek(self._start)
            return log.read()

    def _read(self) -> Iterator[Request]:
        for line in self._text().splitlines():
            entry: Document = json.loads(line)
            yield Request(
                user=entry["user"]["username"],
                agent=entry.get("userAgent", ""),
                verb=entry["verb"],
                path=entry["requestURI"].partition("?")[0],
                status=entry.get("responseStatus", {}).get("code", 0),
            )
