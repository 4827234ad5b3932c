"""An application's metrics, as a real Prometheus scrapes them: counters per version that a test drives."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

from headgate.local import loopback
from headgate.local.prometheus import PrometheusServer


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A Prometheus that went away in mid-scrape is nobody's trouble."""


class Application:
    """Serves `llm_requests_total`, `llm_errors_total` and `answer_quality` by app and version, on a port of its own."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        lines = self._lines

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                page = "".join(f"{series} {value}\n" for series, value in list(lines.items()))
                # Whoever asks may be gone by now; at its end a Prometheus is.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(page.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Keeps quiet."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def answers(self, app: str, version: str, *, requests: int, errors: int) -> None:
        """This many requests were answered by a version so far, and this many of them were errors."""
        self._lines[f'llm_requests_total{{app="{app}",version="{version}"}}'] = str(requests)
        self._lines[f'llm_errors_total{{app="{app}",version="{version}"}}'] = str(errors)

    def quality(self, app: str, version: str, value: str, *, part: str = "") -> None:
        """A gauge; with another ``part`` another series."""
        self._lines[f'answer_quality{{app="{app}",version="{version}",part="{part}"}}'] = value

    def silence(self, app: str) -> None:
        """No series of that application any more."""
        for series in [series for series in self._lines if f'app="{app}"' in series]:
            del self._lines[series]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def is_true(prometheus: PrometheusServer, comparison: str) -> bool:
    """Whether Prometheus answers a query that compares with any series at all."""
    answer = loopback.request("GET", f"{prometheus.url}/api/v1/query?{urlencode({'query': comparison})}")
    return bool(answer.json()["data"]["result"])
