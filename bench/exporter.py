"""The metrics of many applications as a real Prometheus scrapes them: counters that grow with time."""

import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from bench.documents import STABLE
from bench.stand_in import EVERYBODY

_REQUESTS_PER_SECOND = 100.0
_GOOD, _BAD = 0.01, 0.9
_SECONDS_OF_ALL = 0.4
_COST = 0.002


class Exporter:
    """Serves on a port of its own; a context manager."""

    def __init__(self, apps: Sequence[str], versions: Sequence[str]) -> None:
        self._series = [(app, version) for app in apps for version in versions]
        self._errors = dict.fromkeys(self._series, 0.0)
        self._bad: set[str] = set()
        self._began = self._last = time.monotonic()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def turn_bad(self, apps: Sequence[str]) -> None:
        """The candidates of these apps fail often from now on."""
        with self._lock:
            self._bad.update(apps)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _text(self) -> str:
        with self._lock:
            now = time.monotonic()
            passed, self._last = now - self._last, now
            served = (now - self._began) * _REQUESTS_PER_SECOND
            lines = []
            for app, version in self._series:
                is_bad = version != STABLE and (app in self._bad or EVERYBODY in self._bad)
                rate = _BAD if is_bad else _GOOD
                errors = self._errors[app, version] = self._errors[app, version] + passed * _REQUESTS_PER_SECOND * rate
                who = f'app="{app}",version="{version}"'
                lines += [
                    f"llm_requests_total{{{who}}} {served}",
                    f"llm_errors_total{{{who}}} {errors}",
                    f"llm_cost_dollars_total{{{who}}} {served * _COST}",
                    f'llm_latency_seconds_bucket{{{who},le="{_SECONDS_OF_ALL}"}} {served}',
                    f'llm_latency_seconds_bucket{{{who},le="+Inf"}} {served}',
                ]
            return "\n".join(lines) + "\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        text = self._text

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Keeps quiet."""

        return Handler
