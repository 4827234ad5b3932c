"""Counts the API requests that somebody made, by the API server's audit log."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

# Counted apart from a rollout's budget: connections that stay open, the lease, and the state of versions and gates.
_APART = frozenset({"leases", "promptversions/status", "qualitygates/status"})


class _User(BaseModel):
    username: str = ""


class _Object(BaseModel):
    resource: str = ""
    subresource: str = ""


class _Request(BaseModel):
    verb: str
    user: _User = _User()
    object_: _Object = Field(default=_Object(), alias="objectRef")
    received_at: datetime = Field(alias="requestReceivedTimestamp")

    @property
    def target(self) -> str:
        """``resource``, or ``resource/subresource``."""
        names = (self.object_.resource, self.object_.subresource)
        return "/".join(name for name in names if name) or "other"


@dataclass(frozen=True, slots=True)
class RequestCount:
    """The requests of one user in a span of time."""

    budgeted: Mapping[str, int]
    """What counts against a rollout's budget, by verb and target."""
    apart: int
    """Lease, and the states of versions and gates."""

    @property
    def total(self) -> int:
        """All that count against the budget."""
        return sum(self.budgeted.values())


def count(log: Path, username: str, since: float, until: float) -> RequestCount:
    """The requests that this user sent between two times, in seconds since the epoch; watches are left out."""
    budgeted: Counter[str] = Counter()
    apart = 0
    with log.open() as lines:
        for line in lines:
            try:
                request = _Request.model_validate_json(line)
            except ValidationError:
                # The last line may be half written.
                continue
            if request.user.username != username or request.verb == "watch":
                continue
            if not since <= request.received_at.timestamp() <= until:
                continue
            if request.target in _APART:
                apart += 1
            else:
                budgeted[f"{request.verb} {request.target}"] += 1
    return RequestCount(dict(budgeted.most_common()), apart)
