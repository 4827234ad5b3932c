"""Events, one for each happening, written beside the work and never in its way. Knows no decision."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass

from headgate.api.conditions import rfc3339
from headgate.cluster.objects import EVENT, FIELD_MANAGER, ClusterError, Json, Kind, NotFound, Objects, Refused
from headgate.controller import clock
from headgate.engine.decision import Notice

_WAITING = 2_000
_WRITERS = 1
_RETRY_SECONDS = 0.5
_LONGEST_MESSAGE = 1024
_LONGEST_NAME = 230
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object that an Event is about."""

    kind: Kind
    namespace: str
    name: str
    uid: str


class Announcer:
    """Logs each notice and writes its Event: one try, one more after a moment, then it is dropped and counted."""

    def __init__(self, objects: Objects, dropped: Callable[[], None]) -> None:
        self._objects = objects
        self._dropped = dropped
        self._waiting: asyncio.Queue[tuple[str, Json]] = asyncio.Queue(_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._host = socket.gethostname()[:63]
        self._count = 0

    def start(self) -> None:
        """Begins to write."""
        self._tasks = [asyncio.create_task(self._write(), name=f"events-{each}") for each in range(_WRITERS)]

    async def stop(self, grace: float = 1.0) -> None:
        """Writes what waits for at most ``grace`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._waiting.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def announce(self, regarding: Regarding, notice: Notice) -> None:
        """Says it in the log now and as an Event soon."""
        where = {"kind": regarding.kind.kind, "namespace": regarding.namespace, "name": regarding.name}
        _log.info(
            "%s: %s",
            notice.reason,
            notice.message,
            extra={"reason": notice.reason, "object": f"{where['namespace']}/{where['name']}"},
        )
        try:
            self._waiting.put_nowait((regarding.namespace, self._event(regarding, notice)))
        except asyncio.QueueFull:
            self._dropped()

    async def _write(self) -> None:
        while True:
            namespace, body = await self._waiting.get()
            try:
                await self._write_one(namespace, body)
            finally:
                self._waiting.task_done()

    async def _write_one(self, namespace: str, body: Json) -> None:
        for retry in (True, False):
            try:
                await self._objects.create(EVENT, namespace, body)
            except (NotFound, Refused) as error:
                _log.warning("an Event was refused: %s", error)
                self._dropped()
                return
            except ClusterError:
                if not retry:
                    self._dropped()
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _event(self, regarding: Regarding, notice: Notice) -> Json:
        moment = clock.now()
        self._count += 1
        at = rfc3339(moment)
        unique = f"{int(moment.timestamp() * 1000):x}{self._count & 0xFFFF:04x}"
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{regarding.name[:_LONGEST_NAME].rstrip('.-')}.{unique}",
                "namespace": regarding.namespace,
            },
            "involvedObject": {
                "apiVersion": regarding.kind.api_version,
                "kind": regarding.kind.kind,
                "namespace": regarding.namespace,
                "name": regarding.name,
                "uid": regarding.uid,
            },
            "type": notice.kind.value,
            "reason": notice.reason,
            "message": notice.message[:_LONGEST_MESSAGE],
            "source": {"component": FIELD_MANAGER, "host": self._host},
            "reportingComponent": "headgate.dev/operator",
            "reportingInstance": self._host,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }
