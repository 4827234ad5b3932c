"""The watches that go through a proxy, event by event: some can be lost, doubled, held back, or never come again.

Knows the format of a watch, and no kind's content.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import StreamReader, web

from tests.integration.waiting import PATIENCE

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch."""

    type: str
    object: dict[str, Any]

    @classmethod
    def read(cls, line: bytes) -> "WatchEvent":
        content = json.loads(line)
        return cls(content["type"], content["object"])

    @property
    def line(self) -> bytes:
        return json.dumps({"type": self.type, "object": self.object}).encode() + b"\n"

    @property
    def tells(self) -> bool:
        """Whether it is news of an object."""
        return self.type in ("ADDED", "MODIFIED", "DELETED")


GONE = WatchEvent(
    "ERROR",
    {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "reason": "Expired",
        "code": 410,
        "message": "too old resource version",
    },
)
"""What the API server says to a watch that asks for what it does not remember any more; the watch ends then."""

Meddle = Callable[[WatchEvent], Sequence[WatchEvent]]
"""What goes on to the operator in place of an event, now."""


def as_it_is(event: WatchEvent) -> Sequence[WatchEvent]:
    """Nothing is meddled with."""
    return (event,)


class _Stream:
    """One open watch."""

    def __init__(self, path: str, through: web.StreamResponse, meddle: Meddle) -> None:
        self.path = path
        self.meddle = meddle
        self.is_silent = False
        self.goes = asyncio.Event()
        self.goes.set()
        self._through = through

    async def send(self, event: WatchEvent) -> None:
        await self.goes.wait()
        if not self.is_silent:
            await self._through.write(event.line)


class WatchStreams:
    """All watches through one proxy; they bring what there is until told otherwise. Told so from the test's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: set[_Stream] = set()
        self._meddles: dict[str, Callable[[], Meddle]] = {}
        self._held: set[str] = set()

    def meddle(self, path: str, each: Callable[[], Meddle]) -> None:
        """Each watch of what has that in its path, open or to come, is meddled with by one of these."""
        self._in_loop(self._put(path, each))

    def silence(self, path: str) -> int:
        """The watches that are open now stay so, and bring nothing any more; how many those are."""
        return self._in_loop(self._silenced(path))

    def say(self, path: str, *events: WatchEvent) -> None:
        """Lets the open watches bring these now."""
        self._in_loop(self._said(path, events))

    def hold(self, path: str) -> None:
        """Watches that begin from now on bring nothing until they are let go. For the proxy's own thread."""
        self._held.add(path)

    def let_go(self, path: str) -> None:
        """They bring everything now, in order. For the proxy's own thread."""
        self._held.discard(path)
        for stream in self._of(path):
            stream.goes.set()

    async def pass_on(self, path: str, content: StreamReader, through: web.StreamResponse) -> None:
        """Passes one watch on until either side ends it; a silent one goes on for ever."""
        meddle = next((each() for part, each in self._meddles.items() if part in path), as_it_is)
        stream = _Stream(path, through, meddle)
        if any(part in path for part in self._held):
            stream.goes.clear()
        self._open.add(stream)
        try:
            async for line in _lines(content):
                for event in stream.meddle(WatchEvent.read(line)):
                    await stream.send(event)
                    if event.type == "ERROR" and not stream.is_silent:
                        return
            if stream.is_silent:
                await asyncio.Event().wait()
        finally:
            self._open.discard(stream)

    def _in_loop(self, work: Coroutine[object, object, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=PATIENCE)

    async def _put(self, path: str, each: Callable[[], Meddle]) -> None:
        self._meddles[path] = each
        for stream in self._of(path):
            stream.meddle = each()

    async def _silenced(self, path: str) -> int:
        found = self._of(path)
        for stream in found:
            stream.is_silent = True
        return len(found)

    async def _said(self, path: str, events: Sequence[WatchEvent]) -> None:
        for stream in self._of(path):
            for event in events:
                await stream.send(event)

    def _of(self, path: str) -> list[_Stream]:
        return [stream for stream in self._open if path in stream.path]


async def _lines(content: StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
