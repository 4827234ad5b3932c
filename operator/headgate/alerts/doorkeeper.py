"""Bounds connections by number and by age, before anybody is known to be anybody. Knows nothing of what they ask."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

MOST_CONNECTIONS = 64
LONGEST_CONNECTION = 20.0
"""Seconds, from the first byte of the connection to the last; longer than a post may take."""


class Doorkeeper(web.Server):
    """An HTTP server whose connections are few and short: file descriptors are also what a way back needs."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        # Strangers' broken requests would otherwise fill the log; what is ours to know is logged where it is handled.
        silent = logging.getLogger("headgate.alerts.http")
        silent.setLevel(logging.CRITICAL + 1)
        super().__init__(
            handler,
            access_log=None,
            logger=silent,
            lingering_time=1.0,
            auto_decompress=False,
        )
        self._ends: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Lets a connection in for a while, or drops it at once."""
        super().connection_made(handler, transport)
        loop = asyncio.get_running_loop()
        if len(self._ends) >= MOST_CONNECTIONS:
            # Not before its task has begun, which does not expect to be without a connection.
            loop.call_soon(transport.abort)
            return
        self._ends[handler] = loop.call_later(LONGEST_CONNECTION, transport.abort)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A connection ended."""
        ends = self._ends.pop(handler, None)
        if ends is not None:
            ends.cancel()
        super().connection_lost(handler, exc)
