"""One post to a receiver of every kind: what counts is its status, and nothing else of it reaches anybody."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from headgate.aftermath.letter import letter
from headgate.aftermath.posting import MOST_AT_ONCE, MOST_BYTES, Poster
from headgate.aftermath.tries import FailedTry
from headgate.api.configuration import Webhook
from headgate.local import certificates
from tests.aftermath.conftest import MakeReceiver
from tests.aftermath.hooks import POSTED
from tests.aftermath.receiver import Receiver, Send, status, wait

HEADERS = {"Idempotency-Key": POSTED.key}
PATIENT = "30s"


async def post(receiver: Receiver | None = None, **configured: str) -> None:
    """Posts once, as a hook does."""
    address = {"url": receiver.url} if receiver is not None else {}
    poster = Poster(Webhook.model_validate({"name": "cache", "timeout": PATIENT, **address, **configured}))
    try:
        await poster.post(letter(POSTED), HEADERS)
    finally:
        await poster.close()


async def failure(receiver: Receiver | None = None, **configured: str) -> FailedTry:
    with pytest.raises(FailedTry) as failed:
        await post(receiver, **configured)
    assert "127.0.0.1" not in str(failed.value), "a tenant learns the address"
    assert "hook" not in str(failed.value), "a tenant learns the path"
    return failed.value


async def test_a_receiver_is_told_what_happened(receiver: Receiver) -> None:
    await post(receiver)
    [heard] = receiver.posts
    assert heard.line == "POST /hook HTTP/1.1"
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["idempotency-key"] == "11111111-2222-3333-4444-555555555555/3/clear-cache"
    assert heard.content == {
        "schema": "headgate.dev/after/v1",
        "hook": "clear-cache",
        "namespace": "ai",
        "rollout": "reply",
        "uid": "11111111-2222-3333-4444-555555555555",
        "attempt": 3,
        "outcome": "RolledBack",
        "reason": "quality/errors: 20% is above 5%",
        "rejected": {"version": "v8", "digest": "sha256:8"},
        "stable": {"version": "v7", "digest": "sha256:7"},
        "at": "2026-11-21T06:00:00.000Z",
    }
    assert not {"authorization", "cookie"} & heard.headers.keys()


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_yes(receiver: Receiver, code: int) -> None:
    receiver.answers(status(code))
    await post(receiver)


@pytest.mark.parametrize("code", [400, 401, 404, 409, 410, 429, 500, 502, 503, 504])
async def test_anything_else_is_not(receiver: Receiver, code: int) -> None:
    receiver.answers(status(code, body=b"a secret of the receiver's"))
    assert str(await failure(receiver)) == f"answered HTTP {code}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_nothing_is_sent_there(make_receiver: MakeReceiver, code: int) -> None:
    asked, elsewhere = make_receiver(), make_receiver()
    asked.answers(status(code, f"Location: {elsewhere.url}"))
    assert "points to another address" in str(await failure(asked))
    assert elsewhere.posts == []


async def test_the_token_is_read_at_each_post_and_sent_to_its_own_receiver_alone(
    make_receiver: MakeReceiver, tmp_path: Path
) -> None:
    mine, others = make_receiver(), make_receiver()
    file = tmp_path / "token"
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        await post(mine, bearer_token_file=str(file))
        await post(others)
    assert [heard.headers["authorization"] for heard in mine.posts] == ["Bearer one", "Bearer two"]
    assert not [heard for heard in others.posts if "authorization" in heard.headers]


@pytest.mark.parametrize("content", [b"", b"\n", b"a\r\nX-Evil: 1", b"\xff\xfe", "zwölf".encode()])
async def test_a_token_that_is_none_is_not_sent(receiver: Receiver, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert "bearerTokenFile" in str(await failure(receiver, bearer_token_file=str(file)))
    assert "bearerTokenFile" in str(await failure(receiver, bearer_token_file=str(tmp_path / "gone")))
    assert receiver.posts == []


async def test_an_address_in_a_file_is_read_at_each_post(make_receiver: MakeReceiver, tmp_path: Path) -> None:
    first, second = make_receiver(), make_receiver()
    file = tmp_path / "url"
    for receiver in (first, second):
        file.write_text(f"{receiver.url}\n")
        await post(url_file=str(file))
    assert (len(first.posts), len(second.posts)) == (1, 1)
    file.write_text("file:///etc/passwd")
    assert "urlFile that holds no URL" in str(await failure(url_file=str(file)))
    file.unlink()
    assert "urlFile that cannot be read" in str(await failure(url_file=str(file)))


async def test_no_proxy_and_no_netrc_of_the_environment_is_used(
    make_receiver: MakeReceiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy, receiver = make_receiver(), make_receiver()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    await post(receiver)
    assert proxy.posts == []
    assert "authorization" not in receiver.posts[0].headers


async def test_no_cookie_leads_from_one_post_to_the_next(receiver: Receiver) -> None:
    receiver.answers(status(200, "Set-Cookie: session=1; Path=/"))
    poster = Poster(Webhook(name="cache", url=receiver.url))
    for _ in range(2):
        await poster.post(b"{}", HEADERS)
    await poster.close()
    assert len(receiver.posts) == 2
    assert not [heard for heard in receiver.posts if "cookie" in heard.headers]


def drips(receiver: Receiver, send: Send) -> None:
    """Headers that never end."""
    send(b"HTTP/1.1 200 So\r\n")
    while not receiver.released.wait(0.02):
        send(b"X-Drop: 1\r\n")


def hangs_up(_receiver: Receiver, _send: Send) -> None:
    """Without a word."""


def talks_nonsense(_receiver: Receiver, send: Send) -> None:
    send(b"\x00\x01\x02 what?\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda receiver, _send: wait(receiver), "gave no answer within 300ms"),
        (drips, "gave no answer within 300ms"),
        (hangs_up, "cannot be reached: it hung up"),
        (talks_nonsense, "cannot be reached"),
    ],
    ids=["silence", "drips", "hangs up", "nonsense"],
)
async def test_a_receiver_that_does_not_answer_is_left_in_time(
    receiver: Receiver, answer: Callable[[Receiver, Send], None], said: str
) -> None:
    receiver.answer = answer
    began = time.monotonic()
    assert said in str(await failure(receiver, timeout="300ms"))
    assert time.monotonic() - began < 10


async def test_nobody_there_is_said_without_the_address(receiver: Receiver) -> None:
    receiver.close()
    assert str(await failure(receiver)) == "cannot be reached: connection refused"
    assert str(await failure(url="http://nobody.invalid/")) == "cannot be reached: its name cannot be resolved"


async def test_a_yes_counts_whatever_the_rest_of_the_answer_is(receiver: Receiver) -> None:
    def never_ends(receiver: Receiver, send: Send) -> None:
        send(b"HTTP/1.1 200 So\r\nContent-Length: 1000000000\r\n\r\n")
        while not receiver.released.is_set():
            send(b"x" * 65536)

    receiver.answer = never_ends
    await post(receiver, timeout="2s")
    # What the kernels' buffers hold on both sides, not a gigabyte.
    assert MOST_BYTES <= receiver.sent < 100 * MOST_BYTES + 16 * 1024 * 1024

    def breaks_off(_receiver: Receiver, send: Send) -> None:
        send(b"HTTP/1.1 200 So\r\nContent-Length: 1000\r\n\r\nx")

    receiver.answer = breaks_off
    await post(receiver)

    def falls_silent(receiver: Receiver, send: Send) -> None:
        send(b"HTTP/1.1 202 So\r\nContent-Length: 10\r\n\r\nx")
        wait(receiver)

    receiver.answer = falls_silent
    await post(receiver, timeout="200ms")


async def test_what_a_receiver_asks_for_is_heard(receiver: Receiver) -> None:
    receiver.answers(status(503, "Retry-After: 17"))
    assert (await failure(receiver)).retry_after == 17
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    receiver.answers(status(503, f"Retry-After: {date}"))
    asked = (await failure(receiver)).retry_after
    assert asked is not None
    assert 50 < asked <= 100
    for odd in ("soon", "-1", "1e9", "9" * 40, "Mon, 99 Foo 2026"):
        receiver.answers(status(503, f"Retry-After: {odd}"))
        assert (await failure(receiver)).retry_after is None


async def test_a_certificate_counts_when_its_authority_is_configured(
    make_receiver: MakeReceiver, tmp_path: Path
) -> None:
    made, other = certificates.create(tmp_path / "pki"), certificates.create(tmp_path / "other")
    receiver = make_receiver(made)
    file = tmp_path / "ca.crt"
    assert str(await failure(receiver)) == "cannot be reached: its certificate is not trusted"
    assert "caFile that cannot be read" in str(await failure(receiver, ca_file=str(file)))
    file.write_bytes(other.authority.read_bytes())
    assert "not trusted" in str(await failure(receiver, ca_file=str(file)))
    assert receiver.posts == []
    file.write_bytes(made.authority.read_bytes())
    await post(receiver, ca_file=str(file))
    assert len(receiver.posts) == 1


async def test_one_that_hangs_has_few_posts_under_way_and_lets_go_at_once(receiver: Receiver) -> None:
    receiver.hangs()
    poster = Poster(Webhook(name="cache", url=receiver.url, timeout=PATIENT))
    posts = [asyncio.create_task(poster.post(b"{}", HEADERS)) for _ in range(3 * MOST_AT_ONCE)]
    await receiver.is_posted_to(MOST_AT_ONCE)
    began = time.monotonic()
    for each in posts:
        each.cancel()
    await asyncio.gather(*posts, return_exceptions=True)
    await poster.close()
    assert time.monotonic() - began < 5
    assert len(receiver.posts) == MOST_AT_ONCE


async def test_a_receiver_is_found_by_its_name(receiver: Receiver) -> None:
    await post(url=receiver.url.replace("127.0.0.1", "localhost"))
    assert len(receiver.posts) == 1


async def test_a_name_that_nobody_knows_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_knows(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    assert str(await failure(url="http://cache.test/")) == "cannot be reached: its name cannot be resolved"


@pytest.fixture
def silent_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look-ups wait for the end of the test."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    yield
    over.set()


async def test_receivers_whose_name_server_is_silent_hold_no_thread_that_others_wait_for(
    silent_name_server: None,
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    said = [str(await failure(url=f"http://{name}.test/", timeout="100ms")) for name in ("one", "two")]
    assert said == ["gave no answer within 100ms"] * 2
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(lambda: "a thread is free") == "a thread is free"
