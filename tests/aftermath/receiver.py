"""A receiver of webhooks, on a port of its own, that answers as it is told: well, badly, or not at all."""

import asyncio
import json
import socketserver
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from headgate.local.certificates import Certificates


@dataclass(frozen=True, slots=True)
class Post:
    """One request."""

    line: str
    headers: dict[str, str]
    """By lower-cased name."""
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


Send: TypeAlias = Callable[[bytes], None]


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {code} So", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Receiver:
    """Writes every post down before ``answer`` answers it with ``send``; the connection ends when that returns."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        self.posts: list[Post] = []
        self.answer: Callable[[Receiver, Send], None] = lambda _receiver, send: send(status(200))
        self.released = threading.Event()
        """Set at the end, for answers that wait on purpose."""
        self._arrival = threading.Condition()
        self.sent = 0
        """How many bytes of answers were handed to the kernel, the write under way too: no reader has had more."""
        receiver = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline().decode().strip()
                headers: dict[str, str] = {}
                while text := self.rfile.readline().decode().strip():
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", "0")))
                if line:
                    with receiver._arrival:
                        receiver.posts.append(Post(line, headers, body))
                        receiver._arrival.notify_all()
                    receiver.answer(receiver, self._send)

            def _send(self, data: bytes) -> None:
                receiver.sent += len(data)
                self.wfile.write(data)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Whoever hangs up in mid-answer is one of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.certificate("server"), certificates.key("server"))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/hook"

    async def is_posted_to(self, count: int = 1) -> None:
        """Returns when so many posts have come."""

        def come() -> bool:
            with self._arrival:
                return self._arrival.wait_for(lambda: len(self.posts) >= count, timeout=20)

        assert await asyncio.to_thread(come), f"{len(self.posts)} posts came, not {count}"

    def answers(self, *answers: bytes) -> None:
        """These answers, one a post, and the last from then on."""
        left = list(answers)
        self.answer = lambda _receiver, send: send(left.pop(0) if len(left) > 1 else left[0])

    def hangs(self) -> None:
        """It takes posts and says nothing."""
        self.answer = lambda receiver, _send: wait(receiver)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def wait(receiver: Receiver) -> None:
    """Until the end of the test."""
    receiver.released.wait(60)
