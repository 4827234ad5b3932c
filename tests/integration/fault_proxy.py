"""Stands between the operator and the API server, and holds, drops or swallows chosen requests. Reads no bodies.

It speaks TLS on both sides, to the operator with the API server's own certificate: that names 127.0.0.1, at no port, so
that the operator's kubeconfig differs by the port alone. The operator's token goes through as it is.
"""

import asyncio
import queue
import re
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
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

    @property
    def watches(self) -> bool:
        """Whether the answer goes on until somebody ends it."""
        return "watch=true" in self.query.split("&")

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "PATCH", "PUT", "DELETE")

    def is_(self, method: str, pattern: str) -> bool:
        """Whether it has that method, and a path that ends as the pattern says."""
        return self.method == method and re.search(f"{pattern}$", self.path) is not None


class FaultProxy:
    """One proxy with a fate for each request; all of them pass until told otherwise."""

    def __init__(self, plane: ControlPlane, directory: Path, kubeconfig: Path) -> None:
        self._url = plane.url
        certificates = plane.api.certificates
        self._tls = ssl.create_default_context(cafile=str(certificates.authority))
        self._identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._identity.load_cert_chain(certificates.certificate("server"), certificates.key("server"))
        self._fate: Callable[[Asked], Fate] = lambda _asked: Fate.PASS
        self._struck: queue.Queue[Asked] = queue.Queue()
        self._late: queue.Queue[int] = queue.Queue()
        self._streams: set[aiohttp.ClientResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._released, self._ending = asyncio.Event(), asyncio.Event()
        self._answers: dict[str, Document] = {}
        self.watches = WatchStreams(self._loop)
        """The watches that go through here."""
        port = self._run(self._start())
        self.kubeconfig = directory / "kubeconfig-by-proxy"
        """The operator's kubeconfig, by way of here."""
        content = yaml.safe_load(kubeconfig.read_text())
        content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig.write_text(yaml.safe_dump(content))

    def strike(self, fate: Callable[[Asked], Fate]) -> None:
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

    def answer(self, lists: Mapping[str, Document]) -> None:
        """Lists of these paths have these answers from now on; all others are asked for as ever."""
        self._loop.call_soon_threadsafe(setattr, self, "_answers", dict(lists))

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

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.method, request.path, request.query_string)
        body = await request.read()
        fate = self._fate(asked)
        if fate is not Fate.PASS:
            self._struck.put(asked)
        if fate is Fate.DROP:
            await self._ending.wait()
        if fate is Fate.REFUSE:
            return web.json_response({"kind": "Status", "code": 503, "message": "refused by a test"}, status=503)
        if fate is Fate.HOLD:
            await self._released.wait()
        if asked.method == "GET" and not asked.watches and asked.path in self._answers:
            return web.json_response(self._answers[asked.path])
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = f"{self._url}{request.rel_url}"
        async with self._session.request(request.method, url, headers=headers, data=body or None) as answer:
            if fate is Fate.HOLD:
                self._late.put(answer.status)
            if fate is Fate.SWALLOW:
                await answer.read()
                await self._ending.wait()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            through = web.StreamResponse(status=answer.status, headers=kept)
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
