"""What the operator's own HTTP answers, to whom, and that nobody can hold all of its connections."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from headgate.alerts import doorkeeper
from headgate.controller.http import Probes
from headgate.controller.metrics import Metrics


class Answering:
    """The probes on a port of their own."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.probes = Probes(("127.0.0.1", 0), Metrics(), lambda: self.problem, lambda: self.problem, lambda: "standby")
        self.address = ""

    async def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://{self.address}{path}") as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def answering() -> AsyncIterator[Answering]:
    made = Answering()
    made.address = await made.probes.start()
    yield made
    await made.probes.stop()


async def test_each_probe_says_what_is_wrong_or_that_nothing_is(answering: Answering) -> None:
    assert await answering.ask("/healthz") == (200, "ok\n")
    assert await answering.ask("/readyz") == (200, "standby\n")
    assert await answering.ask("/readyz", "HEAD") == (200, "")
    answering.problem = "the first lists"
    assert await answering.ask("/healthz") == (503, "the first lists\n")
    assert await answering.ask("/readyz") == (503, "the first lists\n")
    status, shown = await answering.ask("/metrics")
    assert (status, "headgate_events_dropped_total 0.0" in shown) == (200, True)


async def test_nothing_else_is_there_and_nothing_can_be_sent(answering: Answering) -> None:
    assert await answering.ask("/") == (404, "")
    assert await answering.ask("/healthz", "POST") == (405, "")


async def test_strangers_who_hold_connections_keep_no_probe_out(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "MOST_CONNECTIONS", 8)
    host, _, port = answering.address.partition(":")
    held = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
    assert await answering.ask("/healthz") == (200, "ok\n")
    # File descriptors are also what a way back needs.
    async with asyncio.timeout(5):
        assert [await reader.read() for reader, _ in held[:12]] == [b""] * 12
    for _, writer in held:
        writer.close()
