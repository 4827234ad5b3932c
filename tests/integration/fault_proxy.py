"""Stands between the operator and the API server, and holds, drops or swallows chosen requests. Judges no bodies.

It speaks TLS on both sides, to the operator with the API server's own certificate: that names 127.0.0.1, at no port, so
that the operator's kubeconfig differs by the port alone. The operator's token goes through as it is.
"""

import asyncio
import queue
import re
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TypeVar

import aiohttp
import yaml
from aiohttp import web

from headgate.local.control_plane import ControlPlane
from tests.integration.cluster import Document
from tests.integration.waiting import PATIENCE
from tests.integration.watch_streams import WatchStreams

_T = TypeVar("_T")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Fate(Enum):
    """What becomes of a request."""

    PASS = auto()
    DROP = auto()
    """It never reaches the API server, and nobody answers."""
    SWALLOW = auto()
    """It reaches the API server, and its answer reaches nobody."""
    REFUSE = auto()
    """It is answered with 503, as by an API server that is overloaded."""
    HOLD = auto()
    """It waits on the way until `release`, even when its sender dies meanwhile."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it comes by."""

    method: str
    path: str
    query: str = field(default="", compare=False)
    content: str = field(default="", compare=False)
    """The body's media type."""
    body: bytes = field(default=b"", compare=False, repr=False)
    agent: str = field(default="", compare=False)
    """How the sender calls itself."""

    @property
    def watches(self) -> bool:
        """Whether the answer goes on until somebody ends it."""
        return "watch=true" in self.query.split("&")

    @property
    def lists(self) -> bool:
        """Whether it asks for all objects of a kind, or for a part of them."""
        return self.method == "GET" and "limit=" in self.query

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "PATCH", "PUT", "DELETE")

    def is_(self, method: str, pattern: str) -> bool:
        """Whether it has that method, and a path that ends as the pattern says."""
        return self.method == method and re.search(f"{pattern}$", self.path) is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """The API server's answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def sent(self) -> web.Response:
        """The same, as the proxy's own answer."""
        return web.Response(status=self.status, headers=self.headers, body=self.body)


class Passing:
    """A request that stands before the proxy, for a fate that is more than a word."""

    def __init__(self, asked: Asked, request: web.Request, send: Callable[[], Awaitable[Answer]]) -> None:
        self.asked = asked
        self.request = request
        self._send = send

    async def forward(self) -> Answer:
        """Lets the API server have it, and reads its answer; for what is no watch."""
        return await self._send()

    def reset(self) -> web.Response:
        """Ends the connection as one that was reset, in the midst of whatever was said."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response(status=500)

    async def cut_short(self, answer: Answer) -> web.StreamResponse:
        """Sends a half of an answer whose head promises the whole, and ends the connection."""
        through = web.StreamResponse(status=answer.status, headers=answer.headers)
        through.content_length = len(answer.body)
        await through.prepare(self.request)
        await through.write(answer.body[: len(answer.body) // 2])
        if self.request.transport is not None:
            self.request.transport.close()
        return through


Meeting = Callable[[Passing], Awaitable[web.StreamResponse]]
"""What happens to a request, as a function of its own; it returns what the sender gets."""


@dataclass(slots=True)
class Lie:
    """Old answers to lists, for a while."""

    part: str
    """Of the paths of the watches that do not tell meanwhile."""
    lists: Mapping[str, Document]
    seconds: float
    is_told: bool = False


class FaultProxy:
    """One proxy with a fate for each request; all of them pass until told otherwise."""

    def __init__(self, plane: ControlPlane, directory: Path, kubeconfig: Path) -> None:
        self._url = plane.url
        certificates = plane.api.certificates
        self._tls = ssl.create_default_context(cafile=str(certificates.authority))
        self._identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._identity.load_cert_chain(certificates.certificate("server"), certificates.key("server"))
        self._fate: Callable[[Asked], Fate | Meeting] = lambda _asked: Fate.PASS
        self._struck: queue.Queue[Asked] = queue.Queue()
        self._late: queue.Queue[int] = queue.Queue()
        self._streams: set[aiohttp.ClientResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._released, self._ending = asyncio.Event(), asyncio.Event()
        self._lies: dict[str, Lie] = {}
        self.watches = WatchStreams(self._loop)
        """The watches that go through here."""
        port = self._run(self._start())
        self.kubeconfig = directory / "kubeconfig-by-proxy"
        """The operator's kubeconfig, by way of here."""
        content = yaml.safe_load(kubeconfig.read_text())
        content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig.write_text(yaml.safe_dump(content))

    def strike(self, fate: Callable[[Asked], Fate | Meeting]) -> None:
        """From now on requests have this fate. It is asked in another thread, one request at a time."""
        self._fate = fate

    def struck(self, *, within: float = PATIENCE) -> Asked:
        """The next request that did not pass. Raises queue.Empty when none comes."""
        return self._struck.get(timeout=within)

    def forget_struck(self) -> None:
        """Those of an operator that is dead by now tell nobody anything."""
        while not self._struck.empty():
            self._struck.get_nowait()

    def release(self, *, within: float = PATIENCE) -> int:
        """What is held goes on to the API server now; the status of its first answer."""
        self._loop.call_soon_threadsafe(self._released.set)
        return self._late.get(timeout=within)

    def deceive(self, part: str, lists: Mapping[str, Document], *, seconds: float) -> None:
        """Lists of these paths have these answers, and watches of what has ``part`` in its path bring nothing.

        It is over so many seconds after the first of those lists was asked for.
        """
        self._loop.call_soon_threadsafe(self._deceive, part, dict(lists), seconds)

    def cut(self, path: str) -> None:
        """Ends the answers that go on from there, such as watches; what is asked next meets its fate."""
        self._loop.call_soon_threadsafe(self._cut, path)

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[object, object, _T]) -> _T:
        future: Future[_T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=PATIENCE)

    async def _start(self) -> int:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._answer)
        # A request that is on its way goes on although its sender dies: so it is with a real network.
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._identity)
        await site.start()
        address: tuple[str, int] = self._runner.addresses[0]
        return address[1]

    async def _stop(self) -> None:
        self._released.set()
        self._ending.set()
        await self._runner.cleanup()
        await self._session.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self, path: str) -> None:
        for answer in [answer for answer in self._streams if answer.url.path.endswith(path)]:
            answer.close()

    def _deceive(self, part: str, lists: Mapping[str, Document], seconds: float) -> None:
        lie = Lie(part, lists, seconds)
        self._lies |= dict.fromkeys(lists, lie)
        self.watches.hold(part)

    def _told(self, lie: Lie, path: str) -> Document:
        if not lie.is_told:
            lie.is_told = True
            self._loop.call_later(lie.seconds, self._undeceive, lie)
        return lie.lists[path]

    def _undeceive(self, lie: Lie) -> None:
        self._lies = {path: other for path, other in self._lies.items() if other is not lie}
        self.watches.let_go(lie.part)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        agent = request.headers.get("User-Agent", "")
        asked = Asked(request.method, request.path, request.query_string, request.content_type, body, agent)
        fate = self._fate(asked)
        if asked.lists and asked.path in self._lies:
            return web.json_response(self._told(self._lies[asked.path], asked.path))
        if not isinstance(fate, Fate):
            return await fate(Passing(asked, request, lambda: self._whole(request, body)))
        if fate is not Fate.PASS:
            self._struck.put(asked)
        if fate is Fate.DROP:
            await self._ending.wait()
        if fate is Fate.REFUSE:
            return web.json_response({"kind": "Status", "code": 503, "message": "refused by a test"}, status=503)
        if fate is Fate.HOLD:
            await self._released.wait()
        return await self._forward(request, asked, fate)

    async def _whole(self, request: web.Request, body: bytes) -> Answer:
        async with self._sent(request, body) as answer:
            return Answer(answer.status, _kept(answer.headers), await answer.read())

    async def _forward(self, request: web.Request, asked: Asked, fate: Fate) -> web.StreamResponse:
        async with self._sent(request, asked.body) as answer:
            if fate is Fate.HOLD:
                self._late.put(answer.status)
            if fate is Fate.SWALLOW:
                await answer.read()
                await self._ending.wait()
            through = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
            self._streams.add(answer)
            try:
                await through.prepare(request)
                await self._pass_on(asked, answer, through)
                await through.write_eof()
            except (ConnectionError, aiohttp.ClientError):
                pass  # its sender is gone, or it was cut
            finally:
                self._streams.discard(answer)
            return through

    async def _pass_on(self, asked: Asked, answer: aiohttp.ClientResponse, through: web.StreamResponse) -> None:
        if asked.watches and answer.status == 200:
            await self.watches.pass_on(asked.path, answer.content, through)
            return
        async for chunk in answer.content.iter_any():
            await through.write(chunk)

    def _sent(self, request: web.Request, body: bytes) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        url = f"{self._url}{request.rel_url}"
        return self._session.request(request.method, url, headers=_kept(request.headers), data=body or None)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go on to the other side."""
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
