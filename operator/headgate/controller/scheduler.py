"""When to look at which object: one heap of due times, a few workers, one look at a time per object. Knows no look."""

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from headgate.cluster.objects import ClusterError
from headgate.controller import clock
from headgate.engine.observation import Key

Look = Callable[[Key], Awaitable[datetime | None]]
"""Looks at an object and says when to look again at the latest; None: only when something changes."""

_RETRY_SECONDS = 5.0
_SLACK = 1024
_log = logging.getLogger(__name__)


class Scheduler:
    """Due times and pokes. A poke looks at once; several of them before a look are one."""

    def __init__(
        self, name: str, look: Look, *, workers: int, late: Callable[[float], None] = lambda _seconds: None
    ) -> None:
        """``late`` is told by how many seconds each due look was late."""
        self._name = name
        self._look = look
        self._workers = workers
        self._late = late
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._ready: deque[Key] = deque()
        self._patient: deque[Key] = deque()
        self._unhurried: set[Key] = set()
        self._queued: set[Key] = set()
        self._running: set[Key] = set()
        self._again: set[Key] = set()
        self._work = asyncio.Semaphore(0)
        self._sooner = asyncio.Event()
        self._beat = clock.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Begins to look; pokes that came before are looked at first."""
        self._tasks = [
            asyncio.create_task(self._serve(), name=f"{self._name}-{number}") for number in range(self._workers)
        ]
        self._tasks.append(asyncio.create_task(self._watch_the_clock(), name=f"{self._name}-clock"))

    async def stop(self, grace: float = 3.0) -> None:
        """Starts no look any more, and gives those that run ``grace`` seconds."""
        if not self._tasks:
            return
        self._stopping = True
        self._ready.clear()
        self._patient.clear()
        for _ in self._tasks:
            self._work.release()
        *servers, watcher = self._tasks
        watcher.cancel()
        await asyncio.wait(servers, timeout=grace)
        for task in servers:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def poke(self, key: Key) -> None:
        """Look at once; after the look that runs, if one does."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._queued and key not in self._unhurried:
            self._queued.add(key)
            self._ready.append(key)
            self._work.release()

    def poke_last(self, key: Key) -> None:
        """Look as soon as nobody else is waiting, whatever pokes it meanwhile; a due time does not wait for that."""
        self._unhurried.add(key)
        self._patient.append(key)
        self._work.release()

    def at(self, key: Key, due: datetime | None) -> None:
        """Look at that time at the latest; None takes a due time back."""
        if due is None:
            self._due.pop(key, None)
            return
        when = due.timestamp()
        if self._due.get(key) == when:
            return
        self._due[key] = when
        heapq.heappush(self._heap, (when, key))
        self._drop_stale_entries()
        if self._heap[0][0] == when:
            self._sooner.set()

    def within(self, key: Key, seconds: float) -> None:
        """Look after that many seconds, unless a look is due before: what comes often is looked at once for all."""
        when = clock.now().timestamp() + seconds
        if self._due.get(key, when + 1.0) > when:
            self.at(key, _moment(when))

    def forget(self, key: Key) -> None:
        """The object is gone: no due time, no second look."""
        self._due.pop(key, None)
        self._again.discard(key)
        self._unhurried.discard(key)

    @property
    def seconds_since_beat(self) -> float:
        """How long the clock has not turned although something was due; 0 while nothing is."""
        overdue = self._heap and self._heap[0][0] < clock.now().timestamp()
        return clock.monotonic() - self._beat if overdue else 0.0

    async def _watch_the_clock(self) -> None:
        while True:
            self._sooner.clear()
            self._queue_what_is_due()
            self._beat = clock.monotonic()
            wait = max(0.0, self._heap[0][0] - clock.now().timestamp()) if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    def _queue_what_is_due(self) -> None:
        present = clock.now().timestamp()
        while self._heap and self._heap[0][0] <= present:
            when, key = heapq.heappop(self._heap)
            # An entry whose due time was changed since stays in the heap until its turn, and means nothing.
            if self._due.get(key) == when:
                self._unhurried.discard(key)
                self.poke(key)

    def _drop_stale_entries(self) -> None:
        """Keeps an object that is poked all the time from filling the heap with due times that mean nothing."""
        if len(self._heap) > 2 * len(self._due) + _SLACK:
            self._heap = [(when, key) for key, when in self._due.items()]
            heapq.heapify(self._heap)

    async def _serve(self) -> None:
        while not self._stopping:
            await self._work.acquire()
            key = self._next()
            if key is not None:
                self._running.add(key)
                await self._look_at(key)

    def _next(self) -> Key | None:
        if self._ready:
            key = self._ready.popleft()
            self._queued.discard(key)
            return key
        while self._patient:
            key = self._patient.popleft()
            if key in self._unhurried:
                self._unhurried.discard(key)
                if key not in self._running:
                    return key
        return None

    async def _look_at(self, key: Key) -> None:
        due = self._due.pop(key, None)
        if due is not None and (lateness := clock.now().timestamp() - due) >= 0:
            self._late(lateness)
        following: datetime | None = None
        try:
            following = await self._look(key)
        except ClusterError as error:
            _log.warning("%s: %s; it is tried again in %.0f s", key, error, _RETRY_SECONDS)
            following = _moment(clock.now().timestamp() + _RETRY_SECONDS)
        except Exception:  # noqa: BLE001 - one object's trouble stays its own; the text is in the log
            _log.exception("the look at %s failed; it is tried again in %.0f s", key, _RETRY_SECONDS)
            following = _moment(clock.now().timestamp() + _RETRY_SECONDS)
        finally:
            self._running.discard(key)
        self.at(key, following)
        if key in self._again:
            self._again.discard(key)
            self.poke(key)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
