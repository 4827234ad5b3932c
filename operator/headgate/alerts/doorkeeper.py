"""Bounds connections by number and by age, before anybody is known to be anybody. Knows nothing of what they ask."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

MOST_CONNECTIONS = 64
"""On which nothing is done; whoever handles requests bounds the others."""
MOST_AT_ONCE = 256
"""The same, while newcomers are being heard."""
LONGEST_CONNECTION = 20.0
"""Seconds, from the first byte of the connection to the last; longer than a post may take."""
_TURNS_TO_BE_HEARD = 6
"""Turns of the loop from a connection to the handler of what it said at once: four, and some to spare."""


@dataclass(frozen=True, slots=True)
class _Guest:
    """A connection that was let in."""

    peer: str
    end: asyncio.TimerHandle


class Doorkeeper(web.Server):
    """An HTTP server whose connections are few and short: file descriptors are also what a way back needs.

    Who comes last is let in: for them the oldest connection goes that nothing is done for, of whichever address has the
    most of these. Nobody goes before they were heard.
    """

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        async def handled(request: web.BaseRequest) -> web.StreamResponse:
            self._busy.add(request.protocol)
            try:
                return await handler(request)
            finally:
                self._busy.discard(request.protocol)

        # Strangers' broken requests would otherwise fill the log; what is ours to know is logged where it is handled.
        silent = logging.getLogger("headgate.alerts.http")
        silent.setLevel(logging.CRITICAL + 1)
        super().__init__(
            handled,
            access_log=None,
            logger=silent,
            lingering_time=1.0,
            auto_decompress=False,
        )
        self._guests: dict[web.RequestHandler, _Guest] = {}
        self._busy: set[web.RequestHandler] = set()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Lets a connection in for a while, and drops another one for it where there are too many."""
        super().connection_made(handler, transport)
        peer = transport.get_extra_info("peername")
        end = asyncio.get_running_loop().call_later(LONGEST_CONNECTION, transport.abort)
        self._guests[handler] = _Guest(str(peer[0]) if peer else "", end)
        if len(self._guests) > MOST_CONNECTIONS:
            self._make_room(MOST_AT_ONCE)
            self._make_room_later(_TURNS_TO_BE_HEARD)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A connection ended."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    def _make_room_later(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._make_room_later, turns - 1)
        else:
            self._make_room(MOST_CONNECTIONS)

    def _make_room(self, most: int) -> None:
        """Drops one connection where nothing is done on more than so many."""
        idle = [handler for handler in self._guests if handler not in self._busy]
        if len(idle) <= most:
            return
        by_peer = Counter(self._guests[handler].peer for handler in idle)
        [(peer, _)] = by_peer.most_common(1)
        self._drop(next(handler for handler in idle if self._guests[handler].peer == peer))

    def _drop(self, handler: web.RequestHandler) -> None:
        self._forget(handler)
        if handler.transport is not None:
            # Not before its task has begun, which does not expect to be without a connection.
            asyncio.get_running_loop().call_soon(handler.transport.abort)

    def _forget(self, handler: web.RequestHandler) -> None:
        guest = self._guests.pop(handler, None)
        if guest is not None:
            guest.end.cancel()
