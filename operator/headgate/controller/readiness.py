"""The Ready condition of a PromptVersion or QualityGate, kept from one writing to the next. Knows neither."""

from collections.abc import Sequence
from datetime import datetime

from headgate.api.conditions import Condition, ConditionStatus

_LONGEST = 2000


def ready(
    before: Sequence[Condition],
    *,
    now: datetime,
    generation: int,
    problem: str | None,
    reason: str,
    message: str,
) -> list[Condition]:
    """The conditions with Ready renewed: False with ``problem`` and its ``reason``, or True with ``message``.

    The transition time stays while the status does, so that an unchanged condition is no write.
    """
    status = ConditionStatus.FALSE if problem is not None else ConditionStatus.TRUE
    known = next((condition for condition in before if condition.type == "Ready"), None)
    since = known.last_transition_time if known is not None and known.status is status else now
    return [
        Condition(
            type="Ready",
            status=status,
            reason=reason if problem is not None else "Ready",
            message=(problem or message)[:_LONGEST],
            last_transition_time=since,
            observed_generation=generation,
        )
    ]
