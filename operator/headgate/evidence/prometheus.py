"""One Prometheus, asked through prometheus-api-client in such a way that whatever happens becomes a typed result.

No retries, no redirects, no proxies, no netrc, no token but the configured one, and an end to every wait and every
answer. The query carries no ``time``: the server's own now needs no two clocks to agree, and an answer that is of
another time all the same (a cache, a clock gone wrong) is noticed and refused.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from headgate.api.bearer_token import is_bearer_token
from headgate.api.configuration import Source
from headgate.api.quantities import seconds
from headgate.evidence.answers import Failure, Sample, Table, Trouble, read_result
from headgate.evidence.bounded_session import BoundedSession, SlowAnswerError, TooLargeError
from headgate.evidence.causes import cause_of, one_line

MOST_SERIES = 2000
"""More series than this in one answer are refused."""
FARTHEST_OFF_SECONDS = 120.0
"""How far the moment that an answer speaks of may be from this clock."""
_LONGEST_CONNECT_SECONDS = 3.0
_ERROR_TYPES = frozenset({"internal", "unavailable", "not_found", "not_acceptable"})


class UnreadableFileError(Exception):
    """A file that the source's configuration names cannot be read."""


class BearerToken(AuthBase):
    """Reads the token at each use, so that a rotated one counts at once."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Puts the token into a request."""
        try:
            token = self._file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableFileError("bearerTokenFile that cannot be read") from error
        if not is_bearer_token(token):
            raise UnreadableFileError("bearerTokenFile that holds no token")
        request.headers["Authorization"] = f"Bearer {token}"
        return request


class Prometheus:
    """A source. Threads may share it: each has a session of its own."""

    def __init__(self, source: Source, *, clock: Callable[[], float] = time.time) -> None:
        self.source = source
        self._timeout = seconds(source.timeout)
        self._clock = clock
        self._thread = threading.local()

    def ask(self, query: str) -> Table | Failure:
        """Carries out an instant query. Blocks for at most about the source's timeout; never raises for its answer."""
        connection, session = self._connection()
        try:
            result = connection.custom_query(query, params=self._parameters())
        except PrometheusApiClientException:
            return _refused(session)
        except UnreadableFileError as error:
            return Failure(Trouble.CONFIGURATION, f"has a {error}: mount the file, or correct the configuration")
        except TooLargeError as error:
            return Failure(Trouble.TOO_LARGE, f"{error}: aggregate the query to one series")
        except (requests.Timeout, SlowAnswerError):
            return Failure(
                Trouble.TIMEOUT, f"gave no answer within {self.source.timeout}: look whether it is overloaded"
            )
        except requests.JSONDecodeError:
            return _unreadable(session)
        except (requests.RequestException, OSError) as error:
            return self._unreachable(error)
        except (KeyError, TypeError, ValueError, RecursionError):
            return _unreadable(session)
        return self._checked(result, session)

    def _connection(self) -> tuple[PrometheusConnect, BoundedSession]:
        known: tuple[PrometheusConnect, BoundedSession] | None = getattr(self._thread, "connection", None)
        if known is not None:
            return known
        session = BoundedSession(self._timeout)
        session.verify = self.source.ca_file or True
        if self.source.bearer_token_file is not None:
            session.auth = BearerToken(Path(self.source.bearer_token_file))
        connection = PrometheusConnect(
            url=self.source.url.rstrip("/"),
            session=session,
            retry=Retry(0),
            # The client hands it on to requests as it is, which takes a pair.
            timeout=(min(self._timeout, _LONGEST_CONNECT_SECONDS), self._timeout),
            method="POST",
        )
        self._thread.connection = (connection, session)
        return connection, session

    def _unreachable(self, error: Exception) -> Failure:
        file = self.source.ca_file
        if file is not None and not os.access(file, os.R_OK):
            return Failure(
                Trouble.CONFIGURATION, "has a caFile that cannot be read: mount the file, or correct the configuration"
            )
        return Failure(Trouble.UNREACHABLE, f"cannot be reached: {cause_of(error)}")

    def _parameters(self) -> dict[str, str]:
        return {
            # A little sooner than this side hangs up: then it is known that the query was slow, not the server away.
            "timeout": f"{max(1, int(self._timeout * 900))}ms",
            "limit": str(MOST_SERIES),
            # Thanos would otherwise answer from the stores that happen to be up; Prometheus ignores it.
            "partial_response": "false",
        }

    def _checked(self, result: object, session: BoundedSession) -> Table | Failure:
        try:
            envelope = json.loads(session.body)
            if envelope["status"] != "success":
                return _unreadable(session)
            if (kind := envelope["data"]["resultType"]) in ("matrix", "string"):
                return Failure(Trouble.WRONG_TYPE, f"the answer is a {kind} where a number is needed: change the query")
            warnings = tuple(one_line(str(warning)) for warning in envelope.get("warnings") or ())
            samples = read_result(result)
        except (ValueError, KeyError, TypeError, RecursionError):
            return _unreadable(session)
        if len(samples) > MOST_SERIES:
            return Failure(Trouble.TOO_LARGE, f"more than {MOST_SERIES} series: aggregate the query to one")
        return self._stale(samples) or Table(samples, warnings)

    def _stale(self, samples: tuple[Sample, ...]) -> Failure | None:
        now = self._clock()
        for sample in samples:
            if abs(off := sample.at - now) > FARTHEST_OFF_SECONDS:
                return Failure(
                    Trouble.STALE, f"the answer is {off:+.0f} s off this clock: compare the clocks, look for a cache"
                )
        return None


def _refused(session: BoundedSession) -> Failure:
    """The failure that an answer with another status than 200 is."""
    status, kind, said = session.status, "", ""
    try:
        envelope = json.loads(session.body)
        kind, said = str(envelope.get("errorType", "")), one_line(str(envelope.get("error", "")))
    except (ValueError, AttributeError, RecursionError):
        pass
    answer = f"HTTP {status}" + (f": {said}" if said else "")
    # Whole batches get these: the words of the server may quote what another tenant asked.
    by_source = f"answered HTTP {status}" + (f" ({kind})" if kind in _ERROR_TYPES else "")
    if 300 <= status < 400:
        return Failure(Trouble.REDIRECTED, f"points to another address (HTTP {status}): configure that one as its url")
    if status == 400 and kind:
        return Failure(Trouble.BAD_QUERY, answer)
    if status == 422:
        return Failure(Trouble.FAILED_QUERY, answer)
    if status == 413:
        return Failure(Trouble.TOO_LARGE, answer)
    if kind in ("timeout", "canceled"):
        return Failure(Trouble.SLOW_QUERY, answer)
    return Failure(Trouble.DENIED if 400 <= status < 500 else Trouble.UNAVAILABLE, by_source)


def _unreadable(session: BoundedSession) -> Failure:
    kind = session.content_type or "no content type"
    return Failure(
        Trouble.UNREADABLE,
        f"answered HTTP {session.status} with {kind}, no answer to a query: is its url a Prometheus'?",
    )
