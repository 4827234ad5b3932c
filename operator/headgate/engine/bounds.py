"""Values against bounds: the first bound of a check that a value is beyond. Knows no samples and no failures."""

from dataclasses import dataclass
from datetime import timedelta

from headgate.api.quality_gate import Action, Check, Threshold
from headgate.api.quantities import BoundUnit, bound_value, seconds
from headgate.api.rollout_status import VerdictKind


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with what people should know of it."""

    kind: VerdictKind
    message: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A value beyond a bound."""

    threshold: Threshold
    critical: bool
    bound: str

    def continues(self, bound: str | None) -> bool:
        """Whether a breach of that bound was one of the same threshold, so that this one goes on with it."""
        return bound in _texts(self.threshold)

    def finding(self, lasted: timedelta) -> Finding:
        """What the breach means after that long: it only blocks until the threshold's ``for`` is over."""
        if self.threshold.for_ is not None and lasted.total_seconds() < seconds(self.threshold.for_):
            return Finding(VerdictKind.BREACHING, f"{self.bound}; acts after {self.threshold.for_}")
        return Finding(VerdictKind.FAIL if self.critical else VerdictKind.WARN, self.bound)


def first_breach(check: Check, value: float, stable: float | None) -> Breach | Finding:
    """The first bound that ``value`` is beyond, critical ones before warnings; Pass or Undecided when there is none.

    A comparison without stable's value, or a percentage of a stable 0, leaves the check Undecided.
    """
    undecided, unsettled = "", False
    for threshold, critical in ((check.critical, True), (check.warning, False)):
        if threshold is None:
            continue
        bound = _absolute(threshold, value)
        if not bound and threshold.compares:
            unclear = _unclear(threshold, stable)
            undecided = undecided or unclear
            unsettled = unsettled or (critical and bool(unclear))
            bound = _relative(threshold, value, stable) if stable is not None and not unclear else ""
        if bound and unsettled and threshold.action in (None, Action.NOTIFY):
            # A warning lets the step go on; nothing may, while the critical bound beside it cannot be judged.
            return Finding(VerdictKind.UNDECIDED, f"{bound}, and {undecided}")
        if bound:
            return Breach(threshold, critical, bound)
    return Finding(VerdictKind.UNDECIDED, undecided) if undecided else Finding(VerdictKind.PASS)


def _texts(threshold: Threshold) -> frozenset[str]:
    """How the bounds of a threshold are written where a breach is recorded."""
    bounds = (
        ("above", threshold.above),
        ("below", threshold.below),
        ("above stable by", threshold.above_stable_by),
        ("below stable by", threshold.below_stable_by),
    )
    return frozenset(f"{words} {bound}" for words, bound in bounds if bound is not None)


def _absolute(threshold: Threshold, value: float) -> str:
    if threshold.above is not None and value > bound_value(threshold.above).number:
        return f"above {threshold.above}"
    if threshold.below is not None and value < bound_value(threshold.below).number:
        return f"below {threshold.below}"
    return ""


def _unclear(threshold: Threshold, stable: float | None) -> str:
    if stable is None:
        return "stable has no value to compare with"
    bounds = (threshold.above_stable_by, threshold.below_stable_by)
    if stable == 0 and any(bound is not None and bound_value(bound).unit is BoundUnit.PERCENT for bound in bounds):
        return "stable is 0, so a relative bound says nothing"
    return ""


def _relative(threshold: Threshold, value: float, stable: float) -> str:
    if threshold.above_stable_by is not None and value - stable > _margin(threshold.above_stable_by, stable):
        return f"above stable by {threshold.above_stable_by}"
    if threshold.below_stable_by is not None and stable - value > _margin(threshold.below_stable_by, stable):
        return f"below stable by {threshold.below_stable_by}"
    return ""


def _margin(written: int | str, stable: float) -> float:
    bound = bound_value(written)
    return abs(stable) * bound.number if bound.unit is BoundUnit.PERCENT else bound.number
