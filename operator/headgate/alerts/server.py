"""POST /alerts: from the connection to the answer. Whoever is not known gets no byte of a body read."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from headgate.alerts.doorkeeper import Doorkeeper
from headgate.alerts.payload import Malformed, post_of
from headgate.alerts.receiving import Receiving, Witness
from headgate.alerts.storing import NotStored
from headgate.alerts.tokens import Tokens
from headgate.api.configuration import Alerts

PATH = "/alerts"
LONGEST_BODY = 1024 * 1024
READING_SECONDS = 5.0
STORING_SECONDS = 8.0
MOST_POSTS = 32
"""At once; each set of namespaces that there is a token for has its share of these, which no other can take."""
LEAST_SHARE = 4
"""Places that each has, however many there are."""
_log = logging.getLogger(__name__)


class AlertServer:
    """Listens for Alertmanager. 2xx means stored; everything that may be mended by sending it again is a 5xx."""

    def __init__(
        self, configuration: Alerts, receiving: Receiving, witness: Witness, unready: Callable[[], str | None]
    ) -> None:
        """``unready`` says why Rollouts are not known yet; None when they are."""
        self._host, self._port = configuration.address
        self._tokens = Tokens(configuration.tokens)
        self._receiving = receiving
        self._witness = witness
        self._unready = unready
        self._posts: Counter[frozenset[str]] = Counter()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> str:
        """Listens; the address with the port that was taken. Raises OSError when it cannot."""
        self._runner = web.ServerRunner(Doorkeeper(self._handle), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        bound = self._runner.addresses[0]
        return f"{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        received = time.monotonic()
        try:
            status, outcome, words = await self._answer(request, received)
        except Exception:  # noqa: BLE001 - one post must not end the server; a 5xx brings it again
            _log.exception("alerts: a post could not be handled")
            status, outcome, words = HTTPStatus.INTERNAL_SERVER_ERROR, "Failed", ""
        self._witness.alert_post(outcome)
        response = web.Response(status=status, text=f"{words}\n" if words else "")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = "POST"
        # A connection that is kept may be closed just when the next post comes; a new one costs little.
        response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest, received: float) -> tuple[HTTPStatus, str, str]:
        """Status, outcome for the metrics, and words for whoever is known."""
        if request.path != PATH:
            return HTTPStatus.NOT_FOUND, "NotFound", ""
        if request.method != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", ""
        namespaces = self._tokens.namespaces(request.headers.get("Authorization"))
        if not namespaces:
            return HTTPStatus.UNAUTHORIZED, "Unauthorized", ""
        if (request.content_length or 0) > LONGEST_BODY:
            return _too_large()
        if self._posts[namespaces] >= self._share:
            return HTTPStatus.SERVICE_UNAVAILABLE, "Overloaded", "too many posts at once; send it again"
        if (problem := self._unready()) is not None:
            return HTTPStatus.SERVICE_UNAVAILABLE, "NotReady", f"not ready: {problem}"
        self._posts[namespaces] += 1
        try:
            return await self._received(request, namespaces, received)
        finally:
            self._posts -= Counter((namespaces,))

    @property
    def _share(self) -> int:
        return max(LEAST_SHARE, MOST_POSTS // self._tokens.sets_of_namespaces)

    async def _received(
        self, request: web.BaseRequest, namespaces: frozenset[str], received: float
    ) -> tuple[HTTPStatus, str, str]:
        try:
            async with asyncio.timeout(READING_SECONDS):
                body = await _read(request)
        except (TimeoutError, ConnectionError, web.RequestPayloadError):
            return HTTPStatus.SERVICE_UNAVAILABLE, "Slow", "the body did not arrive in time; send it again"
        if body is None:
            return _too_large()
        try:
            post = post_of(body)
        except Malformed as error:
            _log.warning("alerts: a post is none of Alertmanager's webhook, version 4: %s", error)
            return HTTPStatus.BAD_REQUEST, "Malformed", f"not Alertmanager's webhook, version 4: {error}"
        try:
            async with asyncio.timeout(STORING_SECONDS):
                await self._receiving.receive(post, namespaces, received)
        except (TimeoutError, NotStored) as error:
            reason = str(error) or "the API server is too slow"
            _log.warning("alerts: not stored, and asked for again: %s", reason)
            return HTTPStatus.SERVICE_UNAVAILABLE, "NotStored", "not stored; send it again"
        return HTTPStatus.OK, "Stored", ""


def _too_large() -> tuple[HTTPStatus, str, str]:
    _log.warning("alerts: a post of more than %d bytes was refused; set max_alerts in the receiver", LONGEST_BODY)
    words = f"more than {LONGEST_BODY} bytes; set max_alerts in the receiver"
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TooLarge", words


async def _read(request: web.BaseRequest) -> bytes | None:
    """The body; None as soon as it is too large."""
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > LONGEST_BODY:
            return None
    return bytes(body)
