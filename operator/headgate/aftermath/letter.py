"""What a webhook is told of a revert, in JSON: a contract with receivers, described in docs/after-a-revert.md. Pure."""

import json

from headgate.api.conditions import rfc3339
from headgate.api.rollout_status import VersionRef
from headgate.engine.hooks import DueHook

SCHEMA = "headgate.dev/after/v1"
"""Names this shape; one that lacks or renames a field has another name. Fields may be added."""


def letter(hook: DueHook) -> bytes:
    """The body of a post: the same bytes at every try of one hook."""
    content = {
        "schema": SCHEMA,
        "hook": hook.name,
        "namespace": hook.namespace,
        "rollout": hook.rollout,
        "uid": hook.uid,
        "attempt": hook.attempt,
        "outcome": hook.outcome.value,
        "reason": hook.reason,
        "rejected": _version(hook.rejected),
        "stable": _version(hook.stable),
        "at": rfc3339(hook.at),
    }
    return json.dumps(content).encode()


def _version(ref: VersionRef) -> dict[str, str]:
    return {"version": ref.version, "digest": ref.digest}
