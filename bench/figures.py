"""What a benchmark measured, beside what it may cost and what the peers cost. Measures nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median as middle


@dataclass(frozen=True, slots=True)
class Budget:
    """What the design allows, and what it cites for the peers on the same API server and two cores."""

    most: float
    flagger: str = ""
    argo_rollouts: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str
    budget: Budget | None = None
    how: str = ""
    """How it was measured, and what else is to be known of it."""

    @property
    def is_within(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        return None if self.budget is None else self.value <= self.budget.most


def latencies(what: str, seconds: Sequence[float], budget: Budget | None, how: str = "") -> list[Figure]:
    """The median, which the budget is about, and the 99th percentile."""
    count = f"{len(seconds)} times"
    return [
        Figure(f"{what}, median", middle(seconds), "s", budget, "; ".join(filter(None, (count, how)))),
        Figure(f"{what}, p99", percentile(seconds, 99), "s", None, f"slowest {max(seconds):.3f} s"),
    ]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
