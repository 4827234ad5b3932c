"""An application's quality, as a real Prometheus scrapes it: one gauge a version, set by the test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quality:
    """Serves ``answer_errors{app, version}`` on a port of its own."""

    def __init__(self) -> None:
        values = self._values = dict[tuple[str, str], str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                for (app, version), value in list(values.items()):
                    self.wfile.write(f'answer_errors{{app="{app}",version="{version}"}} {value}\n'.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Keeps quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def set(self, app: str, version: str, value: float | str) -> None:
        self._values[app, version] = str(value)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
