"""What the server answers when it has too much to do, or is not ready, or its inside is broken."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from headgate.alerts import doorkeeper, server
from headgate.alerts.receiving import Receiving
from headgate.alerts.server import AlertServer
from headgate.api.configuration import Alerts
from tests.alerts import posts
from tests.alerts.rollouts import Shelves, rollout
from tests.alerts.test_storing import Witnessed

TOKEN = "a-token-of-this-test"
OTHERS = "a-token-of-another-tenant"
HEAD = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OTHERS}\r\nContent-Length: 100\r\n\r\n".encode()
REFUSED = b"HTTP/1.1 503"


class Served:
    """A server on a port of its own."""

    def __init__(self, directory: Path) -> None:
        (directory / "token").write_text(TOKEN)
        (directory / "others").write_text(OTHERS)
        tokens = [
            {"file": str(directory / "token"), "namespaces": ["ai"]},
            {"file": str(directory / "others"), "namespaces": ["others"]},
        ]
        configured = {"listen": "127.0.0.1:0", "tokens": tokens}
        self.shelves = Shelves(rollout())
        self.problem: str | None = None
        witness = Witnessed()
        receiving = Receiving(self.shelves.store, self.shelves.cluster, lambda _key: None, witness)
        self.server = AlertServer(Alerts.model_validate(configured), receiving, witness, lambda: self.problem)
        self.address = ""

    async def post(self, body: object = None, token: str = TOKEN) -> int:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            json = posts.post(posts.alert()) if body is None else body
            async with session.post(f"http://{self.address}/alerts", json=json) as answer:
                return answer.status


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    made = Served(tmp_path)
    made.address = await made.server.start()
    yield made
    await made.server.stop()


def stuck(served: Served, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Every write to the cluster waits for this."""
    freed = asyncio.Event()
    patch: Callable[..., Awaitable[object]] = served.shelves.cluster.merge_patch

    async def waits(*arguments: object, **named: object) -> object:
        await freed.wait()
        return await patch(*arguments, **named)

    monkeypatch.setattr(served.shelves.cluster, "merge_patch", waits)
    return freed


async def test_an_alert_is_stored(served: Served) -> None:
    assert await served.post() == 200
    assert served.shelves.annotation() is not None


async def test_before_everything_is_listed_it_asks_for_the_post_again(served: Served) -> None:
    served.problem = "rollouts are not listed yet"
    assert await served.post() == 503
    assert await served.post(token="a-token-of-nobody-at-all") == 401
    served.problem = None
    assert await served.post() == 200


async def test_too_many_posts_at_once_are_asked_for_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LEAST_SHARE", 3)
    monkeypatch.setattr(server, "MOST_POSTS", 6)
    freed = stuck(served, monkeypatch)
    waiting = [asyncio.create_task(served.post()) for _ in range(5)]
    done, still = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 2:
        more, still = await asyncio.wait(still, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    assert [each.result() for each in done] == [503, 503]
    freed.set()
    assert await asyncio.gather(*still) == [200, 200, 200]


async def without_a_body(served: Served) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A post of another tenant's, whose body never comes."""
    host, _, port = served.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(HEAD)
    return reader, writer


async def test_posts_of_one_token_whose_bodies_do_not_come_keep_out_none_of_another(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LEAST_SHARE", 2)
    monkeypatch.setattr(server, "MOST_POSTS", 4)
    held = [await without_a_body(served) for _ in range(8)]
    assert await held[-1][0].readexactly(len(REFUSED)) == REFUSED
    assert await served.post() == 200
    for _, writer in held:
        writer.close()


async def test_connections_of_one_token_whose_bodies_do_not_come_let_others_in(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LEAST_SHARE", 4)
    monkeypatch.setattr(server, "MOST_POSTS", 4)
    held = [await without_a_body(served) for _ in range(5)]
    assert await held[-1][0].readexactly(len(REFUSED)) == REFUSED
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 2)
    assert await served.post() == 200
    for _, writer in held:
        writer.close()


async def test_an_api_server_that_does_not_answer_in_time_makes_it_come_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STORING_SECONDS", 0.1)
    freed = stuck(served, monkeypatch)
    assert await served.post() == 503
    freed.set()
    assert await served.post() == 200


async def test_a_mistake_of_ours_is_a_5xx_and_ends_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(Receiving, "receive", breaks)
        assert await served.post() == 500
    assert "could not be handled" in caplog.text
    assert await served.post() == 200


async def test_a_connection_that_says_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorkeeper, "LONGEST_CONNECTION", 0.2)
    made = Served(tmp_path)
    host, _, port = (await made.server.start()).partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /alerts HTTP/1.1\r\nHost: x\r\n")
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    writer.close()
    await made.server.stop()


async def test_whoever_comes_last_is_let_in_although_strangers_hold_all_connections(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 8)
    host, _, port = served.address.partition(":")
    held = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
    assert await served.post() == 200
    # The oldest were dropped for it, not the newest.
    assert [await reader.read() for reader, _ in held[:12]] == [b""] * 12
    assert not held[-1][0].at_eof()
    for _, writer in held:
        writer.close()


async def test_a_post_under_way_is_not_dropped_for_strangers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 2)
    host, _, port = served.address.partition(":")
    begun, freed = asyncio.Event(), stuck(served, monkeypatch)
    receive = Receiving.receive

    async def begins(*arguments: object) -> None:
        begun.set()
        await receive(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(Receiving, "receive", begins)
    waiting = asyncio.create_task(served.post())
    await begun.wait()
    held = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
    # All but the last two beside the post.
    assert [await reader.read() for reader, _ in held[:-2]] == [b""] * 6
    freed.set()
    assert await waiting == 200
    for _, writer in held:
        writer.close()


async def test_who_says_at_once_what_they_want_is_heard_however_many_strangers_come_with_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 2)
    host, _, port = served.address.partition(":")
    # All in one turn of the server's loop, which is this one's.
    asking = socket.create_connection((host, int(port)))
    asking.sendall(b"GET /alerts HTTP/1.1\r\nHost: x\r\n\r\n")
    strangers = [socket.create_connection((host, int(port))) for _ in range(30)]
    reader, writer = await asyncio.open_connection(sock=asking)
    assert (await reader.read()).startswith(b"HTTP/1.1 405")
    writer.close()
    for each in strangers:
        each.close()


async def test_an_address_with_many_connections_loses_one_before_an_address_with_few(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 4)
    host, _, port = served.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))
    strangers = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
    assert [await each.read() for each, _ in strangers[:-3]] == [b""] * 17
    writer.write(b"GET /alerts HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 405")
    for _, each in ((reader, writer), *strangers):
        each.close()
