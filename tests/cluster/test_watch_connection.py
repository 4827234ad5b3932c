"""The connection of the watches: a peer that is gone is noticed, and what they list is told."""

import socket
from collections.abc import AsyncIterator

import kopf
import pytest
from aiohttp import web

from headgate.cluster.watch_connection import WatchConnection, kept_alive, watch_connection

ROLLOUTS = "/apis/headgate.dev/v1alpha1/rollouts"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Serves lists at any path, but for those that it does not know."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"items": []}, status=404 if "unknown" in request.path else 200)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def connected(url: str, listed: list[str], token: str = "a") -> WatchConnection:
    return watch_connection(kopf.ConnectionInfo(server=url, token=token), listed.append)


async def test_each_list_that_is_begun_is_told_and_no_watch_and_no_failure(url: str) -> None:
    listed: list[str] = []
    connection = connected(url, listed)
    async with connection.aiohttp_session as session:
        for path in (ROLLOUTS, f"{ROLLOUTS}?limit=100&continue=x", f"{ROLLOUTS}?watch=true", f"{ROLLOUTS}/unknown"):
            await session.get(f"{url}{path}")
    assert listed == [ROLLOUTS]


async def test_a_silent_peer_is_asked_for_a_sign_of_life() -> None:
    with kept_alive((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert not made.getblocking()
        if not hasattr(socket, "TCP_KEEPIDLE"):
            pytest.skip("this platform decides by itself how soon")
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        idle, interval, probes = (made.getsockopt(socket.IPPROTO_TCP, option) for option in options)
        assert idle + interval * probes <= 30


async def test_the_same_token_again_are_the_same_credentials(url: str) -> None:
    first, again, other = connected(url, []), connected(url, []), connected(url, [], token="b")
    assert first == again
    assert first != other
    for connection in (first, again, other):
        await connection.aiohttp_session.close()
