"""The connection that watches go through: a peer that is gone is noticed, and each list that one begins with is told.

Knows kopf's requests by their paths only, and no object.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiohttp
import kopf

from headgate.cluster.redirects import refuse_redirects

_IDLE_SECONDS = 10
_PROBE_SECONDS = 5
_PROBES = 3
"""A peer that answers none of so many probes is gone: a watch waits for news, and would wait for it in vain."""


@dataclass(frozen=True, kw_only=True)
class WatchConnection(kopf.AiohttpSession):
    """Credentials as kopf keeps them; the same token again are the same credentials, so that kopf gives up on them."""

    token: str | None
    aiohttp_session: aiohttp.ClientSession = field(compare=False)


def watch_connection(info: kopf.ConnectionInfo, listed: Callable[[str], None]) -> WatchConnection:
    """The connection with these credentials; ``listed`` is told the path of each list that was begun and answered."""
    trace = refuse_redirects(aiohttp.TraceConfig())

    async def ended(
        _session: aiohttp.ClientSession, _context: SimpleNamespace, request: aiohttp.TraceRequestEndParams
    ) -> None:
        if request.response.status == 200 and not {"watch", "continue"} & request.url.query.keys():
            listed(request.url.path)

    trace.on_request_end.append(ended)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context(), socket_factory=kept_alive),
        headers=info.as_http_headers(),
        trust_env=False,
        trace_configs=[trace],
    )
    return WatchConnection(server=info.server, token=info.token, aiohttp_session=session)


def kept_alive(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket whose peer is asked for a sign of life after a while of silence."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)  # noqa: FBT003 - the standard library's own
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _IDLE_SECONDS),
        ("TCP_KEEPINTVL", _PROBE_SECONDS),
        ("TCP_KEEPCNT", _PROBES),
    ):
        # Not every platform that somebody develops on can be told how soon.
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made
