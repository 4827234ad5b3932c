"""Says in a few words why a connection failed, without the address, which is not everybody's to read."""

import re
import socket

import requests

from headgate.api.plain_text import plain

_LONGEST_TEXT = 300


def one_line(text: str) -> str:
    """A foreign text on one line, cut where it gets long."""
    line = plain(re.sub(r"\s+", " ", text).strip())
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def cause_of(error: BaseException) -> str:
    """The first cause of a failed request: what the operating system or TLS said."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return "the url is not valid"
    seen: set[int] = set()
    cause: BaseException | None = error
    found = type(error).__name__
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, socket.gaierror):
            return "its name cannot be resolved"
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException) and cause.strerror:
            found = one_line(cause.strerror).lower()
        cause = _next_cause(cause)
    return found


def _next_cause(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return reason
    if error.args and isinstance(error.args[0], BaseException):
        return error.args[0]
    return error.__cause__ or error.__context__
