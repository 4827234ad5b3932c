"""One post to one webhook of the operator's configuration, and nothing beyond it.

No redirects, no proxy, no cookies, no netrc, no token but the configured one; the answer's status counts, and the rest
of it is dropped. Cancelling a post ends it at once, which a thread could not: but for the system's look-up of a name,
no hook keeps the process from ending.
"""

import asyncio
import contextlib
import os
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
from pydantic import TypeAdapter, ValidationError

from headgate import __version__
from headgate.aftermath.name_lookup import NameLookup
from headgate.aftermath.tries import FailedTry
from headgate.api.bearer_token import is_bearer_token
from headgate.api.configuration import Url, Webhook
from headgate.api.quantities import seconds

MOST_BYTES = 64 * 1024
"""More of an answer than this is not even taken off the wire."""
MOST_AT_ONCE = 4
"""Posts to one webhook that may be under way together: one that hangs holds up its own alone."""
_LONGEST_CONNECT_SECONDS = 3.0
_DRAIN_SECONDS = 1.0
_LONGEST_FILE = 4096
_SECONDS = re.compile(r"[0-9]{1,9}")
_URL: TypeAdapter[str] = TypeAdapter(Url)


class Poster:
    """Posts to one webhook. Belongs to one event loop."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._timeout = seconds(webhook.timeout)
        self._turn = asyncio.Semaphore(MOST_AT_ONCE)
        self._names = NameLookup()
        self._session: aiohttp.ClientSession | None = None
        self._trust: tuple[float, ssl.SSLContext] | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Posts JSON once; the status said 2xx when this returns. Raises FailedTry."""
        url, sent = self._url(), {**headers, "Content-Type": "application/json", **self._authorization()}
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout) as patience:
                    await self._send(url, body, sent, patience)
            except TimeoutError as error:
                raise FailedTry(f"gave no answer within {self._webhook.timeout}") from error
            except (aiohttp.InvalidURL, UnicodeError) as error:
                raise FailedTry("has an address that is no URL: correct the operator's configuration") from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise FailedTry(f"cannot be reached: {_cause(error)}") from error

    async def close(self) -> None:
        """Closes the connections; waits for no look-up of a name."""
        if self._session is not None:
            await self._session.close()
        await self._names.close()

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str], patience: asyncio.Timeout) -> None:
        trust = self._tls() if url.startswith("https:") else True
        async with self._connected().post(url, data=body, headers=headers, allow_redirects=False, ssl=trust) as answer:
            _judge(answer)
            # The answer was yes: whatever becomes of the rest of it changes nothing.
            patience.reschedule(None)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                async with asyncio.timeout(_DRAIN_SECONDS):
                    await _drain(answer)

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True, resolver=self._names),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(sock_connect=min(self._timeout, _LONGEST_CONNECT_SECONDS)),
                headers={"User-Agent": f"headgate/{__version__}", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _url(self) -> str:
        if self._webhook.url is not None:
            return self._webhook.url
        text = _read("urlFile", self._webhook.url_file or "")
        try:
            return _URL.validate_python(text)
        except ValidationError as error:
            raise FailedTry("has a urlFile that holds no URL: correct the file") from error

    def _authorization(self) -> dict[str, str]:
        file = self._webhook.bearer_token_file
        if file is None:
            return {}
        token = _read("bearerTokenFile", file)
        if not is_bearer_token(token):
            raise FailedTry("has a bearerTokenFile that holds no token: correct the file")
        return {"Authorization": f"Bearer {token}"}

    def _tls(self) -> ssl.SSLContext:
        """What its certificate is held against; read again when the file was written since."""
        file = self._webhook.ca_file
        try:
            written = Path(file).stat().st_mtime if file is not None else 0.0
            if self._trust is None or self._trust[0] != written:
                self._trust = (written, ssl.create_default_context(cafile=file))
        except (OSError, ssl.SSLError) as error:
            raise FailedTry("has a caFile that cannot be read: mount the file, or correct the configuration") from error
        return self._trust[1]


def _judge(answer: aiohttp.ClientResponse) -> None:
    """Raises FailedTry unless the status is 2xx."""
    if 200 <= answer.status < 300:
        return
    if 300 <= answer.status < 400:
        raise FailedTry(f"points to another address (HTTP {answer.status}): configure that one as its url")
    raise FailedTry(f"answered HTTP {answer.status}", _retry_after(answer.headers.get("Retry-After")))


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Takes a short answer off the wire, so that its sender sees it arrive; a long one is cut off."""
    left = MOST_BYTES
    while left > 0 and (chunk := await answer.content.read(left)):
        left -= len(chunk)


def _retry_after(given: str | None) -> float | None:
    """Seconds, from a number of them or from a date."""
    if given is None:
        return None
    if _SECONDS.fullmatch(given.strip()):
        return float(given)
    try:
        at = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return None
    return ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()


def _read(key: str, file: str) -> str:
    try:
        with Path(file).open("rb") as content:
            return content.read(_LONGEST_FILE).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FailedTry(f"has a {key} that cannot be read: mount the file, or correct the configuration") from error


def _cause(error: BaseException) -> str:
    """Why a connection failed, without the address, which is not everybody's to read."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return "TLS failed"
    number = error.errno if isinstance(error, OSError) else None
    if number:
        return os.strerror(number).lower()
    return {"ServerDisconnectedError": "it hung up"}.get(type(error).__name__, type(error).__name__)
