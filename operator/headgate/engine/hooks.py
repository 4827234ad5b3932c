"""A hook that is to run after a revert, and what came of it, as plain values. Knows no address, no Job and no clock."""

from dataclasses import dataclass
from datetime import datetime

from headgate.api.rollout_status import Outcome, VersionRef


@dataclass(frozen=True, slots=True)
class DueHook:
    """One hook of one revert that was committed: all that whoever runs it must know."""

    namespace: str
    rollout: str
    uid: str
    attempt: int
    name: str
    webhook: str | None
    """What the operator's configuration calls it; None for a Job."""
    cron_job: str | None
    """The CronJob that the Job is made from; None for a webhook."""
    timeout: float
    """Seconds that it may take in all, from ``at`` on, whoever runs it and however often that is begun again."""
    retries: int
    outcome: Outcome
    reason: str
    rejected: VersionRef
    stable: VersionRef
    at: datetime
    """When the attempt ended."""

    @property
    def key(self) -> str:
        """What this hook of this revert is known by, to receivers too: the same at every try and after a crash."""
        return f"{self.uid}/{self.attempt}/{self.name}"

    def left(self, now: datetime) -> float:
        """Seconds that are left of its time; never more than all of it, whatever the clock says."""
        return min(self.timeout, self.timeout - (now - self.at).total_seconds())


@dataclass(frozen=True, slots=True)
class HookResult:
    """How a hook ended."""

    succeeded: bool
    message: str
    tries: int
    started_at: datetime
    ended_at: datetime
