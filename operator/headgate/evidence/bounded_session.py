"""An HTTP session that keeps its hands to itself: one request, one bounded answer, nothing from the environment."""

import io
import time

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

MOST_BYTES = 4 * 1024 * 1024
"""An answer longer than this is dropped unread."""
_CHUNK_BYTES = 64 * 1024


class TooLargeError(Exception):
    """The answer is longer than MOST_BYTES."""


class SlowAnswerError(Exception):
    """The answer began in time and did not end in time."""


class BoundedSession(requests.Session):
    """Remembers the last answer, since the client on top of it throws most of it away. For one thread."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        # Answers are short; unpacking would only make their length a surprise.
        self.headers.update({"User-Agent": "headgate", "Accept-Encoding": "identity"})
        self._timeout = timeout
        self.status = 0
        self.body = b""
        self.content_type = ""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """A POST's parameters go into its body: a coalesced query would burst the limits on addresses."""
        if request.method == "POST":
            request.data, request.params = request.params, {}
        return super().prepare_request(request)

    def send(
        self,
        request: requests.PreparedRequest,
        *,
        stream: bool | None = None,
        verify: bool | str | None = None,
        proxies: object = None,
        cert: str | tuple[str, str] | None = None,
        timeout: float | tuple[float | None, float | None] | None = None,
        allow_redirects: bool = False,
        **kwargs: object,
    ) -> requests.Response:
        """Sends without following redirects, and reads the answer up to its bounds in length and time.

        Raises:
            TooLargeError: it is too long.
            SlowAnswerError: it did not end within the session's timeout.
        """
        del stream, proxies, allow_redirects, kwargs
        self.status, self.body, self.content_type = 0, b"", ""
        # An idle connection's cookies would be the one thing that leads from one request to the next.
        self.cookies.clear()
        ends = time.monotonic() + self._timeout
        with super().send(
            request, stream=True, verify=verify, proxies={}, cert=cert, timeout=timeout, allow_redirects=False
        ) as answer:
            self.status = answer.status_code
            self.content_type = answer.headers.get("Content-Type", "").split(";")[0][:80]
            self.body = _read(answer, ends)
        whole = requests.Response()
        whole.status_code, whole.headers, whole.encoding = self.status, answer.headers, "utf-8"
        whole.url, whole.request, whole.raw = answer.url, request, io.BytesIO(self.body)
        return whole


def _read(answer: requests.Response, ends: float) -> bytes:
    body = bytearray()
    try:
        # What has come, not a whole chunk: an answer that drips must not outlast its time.
        while chunk := answer.raw.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > MOST_BYTES:
                raise TooLargeError(f"the answer is longer than {MOST_BYTES // 1024 // 1024} MiB")
            if time.monotonic() > ends:
                raise SlowAnswerError
    except ReadTimeoutError as error:
        raise SlowAnswerError from error
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    return bytes(body)
