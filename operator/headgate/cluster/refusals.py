"""What an answer of the API server means to a caller: one of the typed refusals. Knows no connection."""

import json

from headgate.api.plain_text import plain
from headgate.cluster.objects import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    Json,
    NotFound,
    Oversized,
    Refused,
    Unavailable,
)

_LONGEST = 400
# What is said when a `test` does not hold, or what is tested is not there: by the API server, which leaves the reason
# out (only a validation's 422 names causes), and by evanphx/json-patch behind it.
_TEST_FAILED = (
    "rejected our request due to an error in our request",
    "testing value",
    "test failed",
    "unable to find",
    "missing path",
    "nonexistent",
    "index out of bounds",
)


# Of etcd, and of the client with which the API server speaks to it. Both come as 500.
_TOO_LARGE = ("etcdserver: request is too large", "message larger than max")


def refusal(what: str, status: int, body: bytes, retry_after: str | None, *, json_patch: bool) -> ClusterError:
    """The error for an answer that is no success; ``what`` names the request for people."""
    answer = _status(body)
    message = _one_line(answer.get("message")) or f"HTTP {status}"
    text = f"{what}: {message}"
    if status == 404:
        return NotFound(text)
    if status == 409:
        return AlreadyExists(text) if answer.get("reason") == "AlreadyExists" else Conflict(text)
    if status == 422 and json_patch and not _judges_content(answer) and any(sign in message for sign in _TEST_FAILED):
        return Conflict(text)
    if status == 413 or (status >= 500 and any(sign in message for sign in _TOO_LARGE)):
        return Oversized(text)
    # 401: a token that has just been rotated; the next try reads it again.
    # 410: a list that took longer than the server remembers.
    if status in (401, 408, 410, 429) or status >= 500:
        return Unavailable(text, _seconds(retry_after), unauthorized=status == 401)
    return Forbidden(text) if status == 403 else Refused(text)


def _status(body: bytes) -> Json:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _judges_content(answer: Json) -> bool:
    """Whether a schema or a webhook refused the outcome; its words are anybody's, "test failed" among them."""
    details = answer.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return bool(causes) or " denied the request" in _one_line(answer.get("message"))


def _one_line(message: object) -> str:
    return plain(" ".join(message.split())[:_LONGEST]) if isinstance(message, str) else ""


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after is not None else None
    except ValueError:
        return None
