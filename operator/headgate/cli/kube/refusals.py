"""What the API server's refusals are called here, and how they read in one line."""

import json
from collections.abc import Mapping

from kubernetes.client.exceptions import ApiException

from headgate.cluster.objects import ClusterError, Conflict, NotFound, Refused, Unavailable


class Expired(ClusterError):
    """The watch cannot go on from where it was (410): list again."""


def refusal(error: ApiException, what: str) -> ClusterError:
    """The typed error for an answer that is no success; `what` says what was asked for."""
    body = _body(error)
    said = str(body.get("message") or error.reason)
    details = body.get("details")
    match error.status:
        case 404 if not (isinstance(details, dict) and details.get("name")):
            return NotFound("this cluster has no Rollouts: install them with `headgate crds | kubectl apply -f -`")
        case 404:
            return NotFound(f"{what}: {said}")
        case 409:
            return Conflict(f"{what}: {said}")
        case 410:
            return Expired(said)
        case 401:
            return Refused(f"{what}: the API server does not accept the kubeconfig's credentials: log in again")
        case 400 | 403 | 413 | 422:
            return Refused(f"{what}: {said}")
        case status:
            return Unavailable(f"{what}: the API server answered {status}: {said}")


def _body(error: ApiException) -> Mapping[str, object]:
    """The server's Status; empty where something else answered."""
    try:
        body = json.loads(error.body or "{}")
    except (ValueError, TypeError):
        return {}
    return body if isinstance(body, dict) else {}


def innermost_cause(error: BaseException) -> str:
    """The innermost reason: the outer ones repeat it with the addresses of Python objects."""
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException):
            text = str(error)
            return text.rpartition(">: ")[2] or text
        error = inner
