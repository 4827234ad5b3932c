"""What the metrics make of what they are told."""

from datetime import UTC, datetime

from headgate.api.rollout_status import Attempt, AttemptState, RolloutStatus, VersionRef
from headgate.controller.metrics import Metrics
from headgate.engine.observation import Key

REPLY = Key("ai", "reply")


def taken_back(attempt: int) -> RolloutStatus:
    ended = Attempt(
        number=attempt,
        candidate=VersionRef(version="v2", digest="sha256:2"),
        state=AttemptState.ROLLING_BACK,
        reason="alert: it burns",
        started_at=datetime(2026, 11, 21, 6, tzinfo=UTC),
    )
    return RolloutStatus(attempt=ended)


def test_a_revert_is_timed_from_the_alert_of_its_own_attempt_alone() -> None:
    metrics = Metrics()

    def timed() -> float | None:
        return metrics.registry.get_sample_value("headgate_alert_to_revert_seconds_count")

    metrics.alert_stored(REPLY, 2, 0.0)
    metrics.taken_back(REPLY, taken_back(3))
    assert timed() == 0
    metrics.alert_stored(REPLY, 4, 0.0)
    metrics.taken_back(REPLY, taken_back(4))
    metrics.taken_back(REPLY, taken_back(4))
    assert timed() == 1
