"""Bounds connections by number and by age, before anybody is known to be anybody. Knows nothing of what they ask."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

MOST_CONNECTIONS = 64
LONGEST_CONNECTION = 20.0
"""Seconds, from the first byte of the connection to the last; longer than a post may take."""


class Doorkeeper(web.Server):
    """An HTTP server whose connections are few and short: file descriptors are also what a way back needs.

    Who comes last is let in: for them the oldest connection goes that nothing is done for.
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
        self._ends: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        self._busy: set[web.RequestHandler] = set()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Lets a connection in for a while, and drops another one for it where there are too many."""
        super().connection_made(handler, transport)
        self._ends[handler] = asyncio.get_running_loop().call_later(LONGEST_CONNECTION, transport.abort)
        if len(self._ends) > MOST_CONNECTIONS:
            self._drop(next((each for each in self._ends if each not in self._busy), handler))

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A connection ended."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    def _drop(self, handler: web.RequestHandler) -> None:
        self._forget(handler)
        if handler.transport is not None:
            # Not before its task has begun, which does not expect to be without a connection.
            asyncio.get_running_loop().call_soon(handler.transport.abort)

    def _forget(self, handler: web.RequestHandler) -> None:
        ends = self._ends.pop(handler, None)
        if ends is not None:
            ends.cancel()
