"""Reads the few of the operator's own metrics that the demo shows: values that move between two status writes."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from headgate.local.demo.scene import Measured

_VALUE = "headgate_check_value"
_BREACH_SUM = "headgate_breach_to_revert_seconds_sum"
_BREACH_COUNT = "headgate_breach_to_revert_seconds_count"


@dataclass(frozen=True, slots=True)
class OperatorMetrics:
    """What was read."""

    measured: Mapping[str, Measured]
    """By check."""
    breach_to_revert: float | None
    """Seconds from a breach to every router at 0, on average; None before the first revert."""


def read(exposition: str) -> OperatorMetrics:
    """The metrics in a text exposition; those that are missing are simply not known."""
    candidate: dict[str, float] = {}
    stable: dict[str, float] = {}
    seconds, reverts = 0.0, 0.0
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name == _VALUE:
                arm = stable if sample.labels.get("arm") == "stable" else candidate
                arm[sample.labels.get("check", "")] = sample.value
            elif sample.name == _BREACH_SUM:
                seconds += sample.value
            elif sample.name == _BREACH_COUNT:
                reverts += sample.value
    checks = candidate.keys() | stable.keys()
    return OperatorMetrics(
        measured={check: Measured(candidate.get(check), stable.get(check)) for check in checks},
        breach_to_revert=seconds / reverts if reverts else None,
    )
