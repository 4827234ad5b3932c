"""An HTTP server that answers as no healthy Prometheus would."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True)
class Said:
    """One answer."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Heard:
    """One request."""

    path: str
    query: str
    form: dict[str, list[str]]
    headers: dict[str, str]


def vector(*series: tuple[dict[str, str], str], at: float | None = None, **more: object) -> Said:
    """A healthy answer with these series."""
    moment = time.time() if at is None else at
    result = [{"metric": labels, "value": [moment, value]} for labels, value in series]
    return Said(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}).encode())


class FaultServer:
    """Answers each POST with what ``answer`` makes of it."""

    def __init__(self) -> None:
        self.answer: Callable[[Heard], Said] = lambda _: vector()
        self.heard: list[Heard] = []
        self.connections = 0
        self.released = threading.Event()
        """Set at the end, for answers that wait on purpose."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
                path, _, _ = self.path.partition("?")
                heard = Heard(self.path, form.get("query", [""])[0], form, dict(self.headers))
                assert path == "/api/v1/query"
                outer.heard.append(heard)
                said = outer.answer(heard)
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

            def do_GET(self) -> None:
                outer.heard.append(Heard(self.path, "", {}, dict(self.headers)))
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Keeps quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
