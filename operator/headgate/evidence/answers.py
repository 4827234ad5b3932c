"""What a Prometheus' answer can turn out to be: a number, nothing, or one of the kinds of failure. Knows no HTTP."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard


class Trouble(StrEnum):
    """The kinds of failure, as counters name them."""

    UNREACHABLE = "Unreachable"
    TIMEOUT = "Timeout"
    """No whole answer in the source's time."""
    REDIRECTED = "Redirected"
    DENIED = "Denied"
    """401, 403, 404 and the other 4xx that speak of the caller, not of the query."""
    UNAVAILABLE = "Unavailable"
    """5xx."""
    UNREADABLE = "Unreadable"
    """HTML, broken JSON, or JSON that is no answer to a query."""
    BAD_QUERY = "BadQuery"
    """400: the query is not valid there."""
    FAILED_QUERY = "FailedQuery"
    """422: the query was understood and could not be carried out."""
    SLOW_QUERY = "SlowQuery"
    """Prometheus itself gave up on the query."""
    TOO_LARGE = "TooLarge"
    PARTIAL = "Partial"
    """There were warnings: something may be missing."""
    SEVERAL_SERIES = "SeveralSeries"
    HISTOGRAM = "Histogram"
    WRONG_TYPE = "WrongType"
    """A range of samples, or text."""
    STALE = "Stale"
    """The answer speaks of another time than now."""
    OVERLOADED = "Overloaded"
    """headgate has more questions waiting for this source than it takes."""
    CONFIGURATION = "Configuration"
    """A file that the source's configuration names cannot be read."""


BREAKS_BATCHES = frozenset(
    {Trouble.BAD_QUERY, Trouble.FAILED_QUERY, Trouble.SLOW_QUERY, Trouble.TOO_LARGE, Trouble.PARTIAL}
)
"""The failures of one query that would fail a coalesced query as a whole."""

OF_THE_SOURCE = frozenset(
    {
        Trouble.UNREACHABLE,
        Trouble.TIMEOUT,
        Trouble.REDIRECTED,
        Trouble.DENIED,
        Trouble.UNAVAILABLE,
        Trouble.UNREADABLE,
        Trouble.OVERLOADED,
        Trouble.CONFIGURATION,
    }
)
"""The failures that speak of the source rather than of what it was asked; their messages go on from its name."""


@dataclass(frozen=True, slots=True)
class Value:
    """One finite number."""

    number: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """A healthy answer without a finite number: no series at all, or NaN or an infinity."""

    message: str
    empty: bool
    """Whether there was no series, rather than one that is no number."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No healthy answer."""

    trouble: Trouble
    message: str


Answer = Value | Nothing | Failure


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query's answer."""

    labels: Mapping[str, str]
    at: float
    """The moment that it speaks of, in seconds since 1970."""
    number: float | None
    """None for a histogram."""


@dataclass(frozen=True, slots=True)
class Table:
    """A readable answer, before it is judged."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


def read_result(result: object) -> tuple[Sample, ...]:
    """The samples in the ``result`` of an instant query: a vector's series, or a scalar as one without labels.

    Raises:
        TypeError, ValueError: it is anything else.
    """
    if not isinstance(result, list):
        raise TypeError("the result is no list")
    if _is_pair(result):
        return (Sample({}, float(result[0]), float(result[1])),)
    return tuple(_read_series(series) for series in result)


def _read_series(series: object) -> Sample:
    if not isinstance(series, dict) or not isinstance(labels := series.get("metric", {}), dict):
        raise TypeError("a series is no object with labels")
    names = {str(name): str(value) for name, value in labels.items()}
    if "histogram" in series:
        at = series["histogram"]
        if not isinstance(at, list) or not at or not isinstance(at[0], int | float):
            raise ValueError("a histogram is no pair")
        return Sample(names, float(at[0]), None)
    pair = series.get("value")
    if not isinstance(pair, list) or not _is_pair(pair):
        raise ValueError("a series has no value")
    return Sample(names, float(pair[0]), float(pair[1]))


def _is_pair(pair: list[object]) -> TypeGuard[tuple[float, str]]:
    return len(pair) == 2 and isinstance(pair[0], int | float) and isinstance(pair[1], str)


def judged(table: Table) -> Answer:
    """The answer that a table is to a query which should give one number."""
    if len(table.samples) > 1:
        return _several(table.samples)
    if table.warnings:
        return Failure(Trouble.PARTIAL, f"the answer may be incomplete: {table.warnings[0]}")
    return _judged_sample(table.samples[0]) if table.samples else Nothing("no series", empty=True)


def judged_members(table: Table, label: str, ids: tuple[str, ...]) -> dict[str, Answer] | Failure:
    """The answers to the members of a coalesced query, told apart by ``label``; a Failure when they cannot be."""
    if table.warnings:
        return Failure(Trouble.PARTIAL, f"the answer may be incomplete: {table.warnings[0]}")
    by_id: dict[str, list[Sample]] = {one: [] for one in ids}
    for sample in table.samples:
        if (one := sample.labels.get(label)) is None or one not in by_id:
            return Failure(Trouble.UNREADABLE, "the answer has a series that nobody asked for")
        by_id[one].append(sample)
    return {one: judged(Table(tuple(samples))) for one, samples in by_id.items()}


def _several(samples: tuple[Sample, ...]) -> Failure:
    differing = sorted(
        {name for sample in samples for name in sample.labels if len({other.labels.get(name) for other in samples}) > 1}
    )
    by = f" that differ in {', '.join(differing[:3])}" if differing else ""
    return Failure(Trouble.SEVERAL_SERIES, f"{len(samples)} series{by} where one is needed: aggregate with sum or max")


def _judged_sample(sample: Sample) -> Answer:
    if sample.number is None:
        return Failure(Trouble.HISTOGRAM, "a histogram where a number is needed: use histogram_quantile or the like")
    if not math.isfinite(sample.number):
        return Nothing(f"the value is {sample.number}", empty=False)
    return Value(sample.number)
