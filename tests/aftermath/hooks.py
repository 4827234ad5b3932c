"""A hook that is due, as the engine hands it over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from headgate.api.rollout_status import Outcome, VersionRef
from headgate.engine.hooks import DueHook

POSTED = DueHook(
    namespace="ai",
    rollout="reply",
    uid="11111111-2222-3333-4444-555555555555",
    attempt=3,
    name="clear-cache",
    webhook="cache",
    cron_job=None,
    timeout=600.0,
    retries=5,
    outcome=Outcome.ROLLED_BACK,
    reason="quality/errors: 20% is above 5%",
    rejected=VersionRef(version="v8", digest="sha256:8"),
    stable=VersionRef(version="v7", digest="sha256:7"),
    at=datetime(2026, 11, 21, 6, 0, tzinfo=UTC),
)
MADE = replace(POSTED, name="smoke", webhook=None, cron_job="smoke-evaluation")


def at_once() -> datetime:
    """When the revert was just committed."""
    return POSTED.at


def too_late() -> datetime:
    """When a hook's time has just passed."""
    return POSTED.at + timedelta(seconds=POSTED.timeout)
