"""Who waits to be asked, in lanes: one for all, and one for each namespace that is kept apart. No I/O, no clock.

Tenants do not hold each other up: a namespace of its own lane has one request under way at most, and all of those
together leave one to the lane for all.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from headgate.evidence.answers import Answer
from headgate.evidence.coalescing import Ask

FOR_ALL = ""
"""The lane of everybody who has given no trouble."""
MOST_CHARACTERS = 100_000
"""The longest coalesced query."""


@dataclass(slots=True, eq=False)
class Member:
    """One query that waits, with all who wait for it."""

    ask: Ask
    future: "asyncio.Future[Answer]"
    alone: bool
    """Whether it is asked by itself."""
    waiters: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Members of one lane that are asked in one request."""

    lane: str
    members: Sequence[Member]


@dataclass(slots=True)
class Lanes:
    """The queues."""

    most_apart: int
    """How many requests the namespaces' own lanes may have under way together."""
    _queues: dict[str, deque[Member]] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _waiting: int = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, lane: str, member: Member) -> None:
        """Queues a member."""
        self._queues.setdefault(lane, deque()).append(member)
        self._waiting += 1

    def take(self, most: int) -> Batch | None:
        """The next batch of at most so many members; None while nobody may be asked. The lanes take turns."""
        for lane in list(self._queues):
            if lane != FOR_ALL and (lane in self._busy or len(self._busy) >= self.most_apart):
                continue
            queue = self._queues.pop(lane)
            members = self._members(queue, most)
            if queue:
                self._queues[lane] = queue
            if members:
                if lane != FOR_ALL:
                    self._busy.add(lane)
                return Batch(lane, members)
        return None

    def done(self, batch: Batch) -> None:
        """A batch that was taken is answered."""
        self._busy.discard(batch.lane)

    def clear(self) -> list[Member]:
        """Takes all who wait."""
        members = [member for queue in self._queues.values() for member in queue]
        self._queues.clear()
        self._waiting = 0
        return members

    def _members(self, queue: deque[Member], most: int) -> list[Member]:
        members: list[Member] = []
        characters = 0
        while queue and len(members) < most:
            member = queue[0]
            characters += len(member.ask.text)
            if members and (member.alone or characters > MOST_CHARACTERS):
                break
            queue.popleft()
            self._waiting -= 1
            if member.waiters <= 0:
                # All who asked have gone.
                member.future.cancel()
                continue
            members.append(member)
            if member.alone:
                break
        return members
