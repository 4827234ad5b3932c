"""A small process' worth of real metrics over HTTP, for a real Prometheus to scrape."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """\
# TYPE llm_requests gauge
llm_requests{app="chat",version="v8"} 200
llm_requests{app="chat",version="v7"} 100
llm_requests{app="idle",version="v8"} 0
# TYPE llm_errors gauge
llm_errors{app="chat",version="v8"} 30
# TYPE odd gauge
odd{case="nan"} NaN
odd{case="inf"} +Inf
odd{case="two",part="a"} 1
odd{case="two",part="b"} 2
# TYPE latency histogram
latency_bucket{le="1"} 8
latency_bucket{le="+Inf"} 10
latency_sum 7
latency_count 10
"""


class Exporter:
    """Serves PAGE on a port of its own."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(PAGE.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
                """Keeps quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
