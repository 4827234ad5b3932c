"""From a reading to a verdict: what the evidence for one check says. Decides nothing about the attempt."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from headgate.api.quality_gate import Action, Check, OnNoData
from headgate.api.rollout_status import VerdictKind, VerdictRecord
from headgate.engine.bounds import Breach, Finding, first_breach
from headgate.engine.evidence import Reading, ReadingKind

SILENT = frozenset({VerdictKind.NO_DATA, VerdictKind.ERROR, VerdictKind.UNDECIDED})
"""Verdicts that say nothing about a breach: they neither reset nor advance it."""


MOST_SAMPLES = 2**53
"""The most samples that a status counts; beyond it a float counts no ones any more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Stable's value for a comparison, and when it was measured."""

    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look brought for one check. ``stable`` is None when stable was not asked: it no longer serves."""

    gate: str
    check: Check
    step: str
    at: datetime
    candidate: Reading
    stable: Reading | None


def judge(measured: Measured, previous: VerdictRecord | None) -> VerdictRecord:
    """The verdict on one check at one look; ``previous`` is the last one on it in this attempt.

    Where stable says nothing of use now, its last good value is taken from ``previous``.
    """
    at, candidate = measured.at, _sound(measured.candidate)
    stable = _sound(measured.stable) if measured.stable is not None else None
    comparison = _comparison(measured.check, stable, previous, at)
    finding = _judged(measured.check, candidate, stable, comparison)
    bound, began = None, None
    if isinstance(finding, Breach):
        bound, began = finding.bound, _breach_began(previous, finding, at)
        finding = finding.finding(at - began)
    elif finding.kind in SILENT and previous is not None and previous.breaching_since is not None:
        bound, began = previous.bound, _put_off(previous, at)
    since = previous.since if previous is not None and previous.verdict is finding.kind else at
    return VerdictRecord.model_construct(
        gate=measured.gate,
        check=measured.check.name,
        verdict=finding.kind,
        since=began if finding.kind is VerdictKind.BREACHING and began is not None else since,
        step=measured.step,
        measured_at=at,
        value=_figure(candidate.value),
        stable=_figure(comparison.value) if comparison else None,
        stable_at=comparison.at if comparison else None,
        bound=bound,
        samples=_count(candidate.samples),
        breaching_since=began,
        message=finding.message[:1024],
    )


def action_of(check: Check, record: VerdictRecord, *, hold_is_over: bool) -> Action | None:
    """What a verdict does; None while it does nothing by itself."""
    match record.verdict:
        case VerdictKind.FAIL:
            return (check.critical.action if check.critical else None) or Action.ROLLBACK
        case VerdictKind.WARN:
            return (check.warning.action if check.warning else None) or Action.NOTIFY
        case VerdictKind.NO_DATA if hold_is_over:
            return Action((check.on_no_data or OnNoData.HOLD).value)
        case VerdictKind.PASS | VerdictKind.BREACHING | VerdictKind.UNDECIDED | VerdictKind.NO_DATA | VerdictKind.ERROR:
            return None


def passes(check: Check, record: VerdictRecord) -> bool:
    """Whether a step may be left as far as this check goes."""
    match record.verdict:
        case VerdictKind.PASS:
            return True
        case VerdictKind.WARN | VerdictKind.FAIL:
            return action_of(check, record, hold_is_over=True) is Action.NOTIFY
        case VerdictKind.BREACHING | VerdictKind.UNDECIDED | VerdictKind.NO_DATA | VerdictKind.ERROR:
            return False


def _judged(
    check: Check, candidate: Reading, stable: Reading | None, comparison: Comparison | None
) -> Breach | Finding:
    """What the readings say, their failures first."""
    if candidate.kind is ReadingKind.ERROR:
        return Finding(VerdictKind.ERROR, candidate.message)
    if stable is not None and stable.kind is ReadingKind.ERROR:
        return Finding(VerdictKind.ERROR, f"stable: {stable.message}")
    if candidate.kind is ReadingKind.NO_DATA:
        return Finding(VerdictKind.NO_DATA, candidate.message)
    if check.min_samples is not None and not _enough(check, candidate):
        return Finding(VerdictKind.UNDECIDED, f"{_figure(candidate.samples) or 'no'} of {check.min_samples} samples")
    if candidate.value is None:
        return Finding(VerdictKind.UNDECIDED, "no samples yet")
    return first_breach(check, candidate.value, comparison.value if comparison else None)


def _comparison(
    check: Check, stable: Reading | None, previous: VerdictRecord | None, at: datetime
) -> Comparison | None:
    if not check.compares:
        return None
    if stable is not None and stable.value is not None and _enough(check, stable):
        return Comparison(stable.value, at)
    if previous is not None and previous.stable is not None and previous.stable_at is not None:
        return Comparison(float(previous.stable), previous.stable_at)
    return None


def _enough(check: Check, reading: Reading) -> bool:
    return check.min_samples is None or (reading.samples is not None and reading.samples >= check.min_samples)


def _breach_began(previous: VerdictRecord | None, breach: Breach, at: datetime) -> datetime:
    if previous is None or previous.breaching_since is None or not breach.continues(previous.bound):
        return at
    if previous.verdict in SILENT:
        return _put_off(previous, at)
    return previous.breaching_since


def _put_off(previous: VerdictRecord, at: datetime) -> datetime:
    """The breach's beginning, moved on by a span without data, so that such a span counts for nothing."""
    if previous.breaching_since is None or previous.measured_at is None:
        return at
    return previous.breaching_since + (at - previous.measured_at)


def _sound(reading: Reading) -> Reading:
    """The reading; no data where its figure is none, although whoever measured should have said so."""
    if reading.value is not None and not isfinite(reading.value):
        return Reading(ReadingKind.NO_DATA, samples=reading.samples, message="the answer is not a finite number")
    return reading


def _count(samples: float | None) -> int | None:
    return int(min(samples, MOST_SAMPLES)) if samples is not None and samples >= 0 else None


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.9g}"
