"""Whatever a source answers, or does not, has one kind; only a healthy answer is a value or no data."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.api.configuration import Source
from headgate.evidence.answers import Answer, Failure, Nothing, Table, Trouble, Value, judged
from headgate.evidence.bounded_session import MOST_BYTES
from headgate.evidence.prometheus import MOST_SERIES, Prometheus
from tests.evidence.faults import FaultServer, Heard, Said, vector


def source(url: str, **more: object) -> Source:
    return Source.model_validate({"name": "s", "url": url, "timeout": "5s", **more})


def answer(url: str, query: str = "up", **more: object) -> Answer:
    found = Prometheus(source(url, **more)).ask(query)
    return judged(found) if isinstance(found, Table) else found


HTML = {"Content-Type": "text/html"}


def error(kind: str, text: str, status: int) -> Said:
    return Said(f'{{"status":"error","errorType":"{kind}","error":"{text}"}}'.encode(), status)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum(llm_requests{app="chat"})', Value(300)),
        ("42", Value(42)),
        ("nothing_of_that_name", Nothing("no series", empty=True)),
        ('odd{case="nan"}', Nothing("the value is nan", empty=False)),
        ('-odd{case="inf"}', Nothing("the value is -inf", empty=False)),
        ('llm_requests{app="idle"} / 0', Nothing("the value is nan", empty=False)),
    ],
)
def test_a_real_prometheus_gives_a_value_or_no_data(prometheus_url: str, query: str, expected: Answer) -> None:
    assert answer(prometheus_url, query) == expected


@pytest.mark.parametrize(
    ("query", "trouble"),
    [
        ('odd{case="two"}', Trouble.SEVERAL_SERIES),
        ("sum(", Trouble.BAD_QUERY),
        ('odd{case="two"} + on (case) odd{case="two"}', Trouble.FAILED_QUERY),
        ("latency_count[1m]", Trouble.WRONG_TYPE),
        ("'text'", Trouble.WRONG_TYPE),
        ('quantile(2, odd{case="two"})', Trouble.PARTIAL),
    ],
)
def test_a_real_prometheus_failures_are_told_apart(prometheus_url: str, query: str, trouble: Trouble) -> None:
    found = answer(prometheus_url, query)
    assert isinstance(found, Failure)
    assert found.trouble is trouble
    assert "\n" not in found.message


def test_several_series_are_named_by_what_they_differ_in(prometheus_url: str) -> None:
    found = answer(prometheus_url, 'odd{case="two"}')
    assert found == Failure(
        Trouble.SEVERAL_SERIES, "2 series that differ in part where one is needed: aggregate with sum or max"
    )


def is_a_failure(faults: FaultServer, trouble: Trouble) -> None:
    """That one question, whatever the answer, has that trouble, in one line."""
    found = answer(faults.url)
    assert isinstance(found, Failure)
    assert found.trouble is trouble
    assert found.message
    assert "\n" not in found.message
    assert len(faults.heard) == 1


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (Said(b"<html>log in</html>", 200, HTML), Trouble.UNREADABLE),
        (Said(b"", 200), Trouble.UNREADABLE),
        (Said(b'{"status":"success","data":{"resultType":"vector","resu', 200), Trouble.UNREADABLE),
        (Said(b'{"status":"error","errorType":"internal","error":"x"}', 200), Trouble.UNREADABLE),
        (Said(b'{"status":"success"}'), Trouble.UNREADABLE),
        (Said(b"[]"), Trouble.UNREADABLE),
        (Said(b"null"), Trouble.UNREADABLE),
        (Said(b"[" * 100_000), Trouble.UNREADABLE),
        (Said(b"\xff\xfe\x00"), Trouble.UNREADABLE),
        (Said(b'{"status":"success","data":{"resultType":"vector","result":{"a":1}}}'), Trouble.UNREADABLE),
        (Said(b'{"status":"success","data":{"resultType":"vector","result":[1]}}'), Trouble.UNREADABLE),
        (Said(b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}'), Trouble.UNREADABLE),
        (Said(b"", 302, {"Location": "http://127.0.0.1:1/login"}), Trouble.REDIRECTED),
        (Said(b"", 307, {"Location": "/elsewhere"}), Trouble.REDIRECTED),
        (Said(b"who are you", 401, HTML), Trouble.DENIED),
        (Said(b"", 404), Trouble.DENIED),
        (Said(b"slow down", 429), Trouble.DENIED),
        (Said(b"<html>", 400, HTML), Trouble.DENIED),
        (error("bad_data", "parse error", 400), Trouble.BAD_QUERY),
        (error("execution", "many-to-many", 422), Trouble.FAILED_QUERY),
        (error("timeout", "query timed out", 503), Trouble.SLOW_QUERY),
        (error("internal", "disk", 500), Trouble.UNAVAILABLE),
        (error("unavailable", "starting", 503), Trouble.UNAVAILABLE),
        (Said(b"<html>bad gateway</html>", 502, HTML), Trouble.UNAVAILABLE),
        (Said(b"<html>gateway timeout</html>", 504, HTML), Trouble.UNAVAILABLE),
        (Said(b"x", 413), Trouble.TOO_LARGE),
        (Said(b" " * (MOST_BYTES + 1)), Trouble.TOO_LARGE),
    ],
)
def test_what_no_healthy_source_answers_is_a_failure(faults: FaultServer, said: Said, trouble: Trouble) -> None:
    faults.answer = lambda _: said
    is_a_failure(faults, trouble)


def one(value: str) -> str:
    """A healthy answer, but for what its one series holds."""
    return f'{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},{value}}}]}}}}'


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (lambda now: one(f'"value":[{now},"1"]').replace("success", "error"), Trouble.UNREADABLE),
        (lambda now: one(f'"value":[{now},"five"]'), Trouble.UNREADABLE),
        (lambda now: one(f'"value":[{now - 3600},"1"]'), Trouble.STALE),
        (lambda now: one(f'"value":[{now + 3600},"1"]'), Trouble.STALE),
        (lambda now: one(f'"histogram":[{now},{{"count":"1"}}]'), Trouble.HISTOGRAM),
    ],
    ids=["error", "text", "old", "early", "histogram"],
)
def test_what_is_wrong_with_an_answer_of_now_is_a_failure(
    faults: FaultServer, said: Callable[[float], str], trouble: Trouble
) -> None:
    faults.answer = lambda _: Said(said(time.time()).encode())
    is_a_failure(faults, trouble)


def test_too_many_series_are_a_failure(faults: FaultServer) -> None:
    faults.answer = lambda _: vector(*(({"n": str(n)}, "1") for n in range(MOST_SERIES + 1)))
    is_a_failure(faults, Trouble.TOO_LARGE)


def test_a_warning_is_a_failure(faults: FaultServer) -> None:
    faults.answer = lambda _: vector(({}, "1"), warnings=["store \n down"])
    is_a_failure(faults, Trouble.PARTIAL)


def test_warnings_are_not_lost(faults: FaultServer) -> None:
    faults.answer = lambda _: vector(({}, "1"), warnings=["store \n down"])
    assert answer(faults.url) == Failure(Trouble.PARTIAL, "the answer may be incomplete: store down")


def test_what_a_server_says_of_itself_does_not_quote_a_neighbour(faults: FaultServer) -> None:
    faults.answer = lambda _: error("internal", "while expanding secret_metric", 500)
    assert answer(faults.url) == Failure(Trouble.UNAVAILABLE, "answered HTTP 500 (internal)")


def test_infos_are_no_warnings(faults: FaultServer) -> None:
    faults.answer = lambda _: vector(({}, "1"), infos=["metric might not be a counter"])
    assert answer(faults.url) == Value(1.0)


def test_nobody_listening_is_said_without_the_address() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        started = time.monotonic()
        assert answer(f"http://127.0.0.1:{port}") == Failure(
            Trouble.UNREACHABLE, "cannot be reached: connection refused"
        )
        # The client's own retries would take six seconds.
        assert time.monotonic() - started < 5


def test_silence_ends_with_the_timeout(faults: FaultServer) -> None:
    def wait(_: Heard) -> Said:
        faults.released.wait(20)
        return vector()

    faults.answer = wait
    started = time.monotonic()
    found = answer(faults.url, timeout="200ms")
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.TIMEOUT
    assert time.monotonic() - started < 10


def test_an_answer_that_drips_ends_with_the_timeout_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
                )
                while not ended.wait(0.05):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        found = answer(f"http://127.0.0.1:{server.getsockname()[1]}", timeout="300ms")
        took = time.monotonic() - started
        ended.set()
        thread.join()
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.TIMEOUT
    assert took < 10


def test_the_query_goes_in_the_body_with_its_limits(faults: FaultServer) -> None:
    answer(faults.url, "up{a='é'}")
    (heard,) = faults.heard
    assert heard.path == "/api/v1/query"
    assert heard.form == {
        "query": ["up{a='é'}"],
        "timeout": ["4500ms"],
        "limit": [str(MOST_SERIES)],
        "partial_response": ["false"],
    }
    assert "Authorization" not in heard.headers


def test_the_connection_is_kept(faults: FaultServer) -> None:
    prometheus = Prometheus(source(faults.url))
    for _ in range(5):
        prometheus.ask("up")
    assert len(faults.heard) == 5
    assert faults.connections == 1


def test_the_token_is_read_at_each_use(faults: FaultServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    prometheus = Prometheus(source(faults.url, bearerTokenFile=str(token)))
    prometheus.ask("up")
    token.write_text("second")
    prometheus.ask("up")
    token.unlink()
    found = prometheus.ask("up")
    assert [heard.headers["Authorization"] for heard in faults.heard] == ["Bearer first", "Bearer second"]
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.CONFIGURATION


@pytest.mark.parametrize("content", ["", " \n", "one\ntwo", "gehe\u00efm"])
def test_a_file_that_holds_no_token_is_said_and_nothing_is_asked(
    faults: FaultServer, tmp_path: Path, content: str
) -> None:
    token = tmp_path / "token"
    token.write_text(content, encoding="utf-8")
    found = Prometheus(source(faults.url, bearerTokenFile=str(token))).ask("up")
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.CONFIGURATION
    assert "holds no token" in found.message
    assert not faults.heard


def test_proxies_and_netrc_of_the_environment_are_not_used(
    faults: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    faults.answer = lambda _: vector(({}, "1"))
    assert answer(faults.url) == Value(1.0)
    assert "Authorization" not in faults.heard[0].headers


def test_an_authority_file_that_is_missing_is_said(tmp_path: Path) -> None:
    found = answer("https://127.0.0.1:1", caFile=str(tmp_path / "missing.pem"))
    assert isinstance(found, Failure)
    assert found.trouble is Trouble.CONFIGURATION
