"""What the engine asks for and what it is told: questions, and readings that are typed down to each kind of failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from headgate.api.quality_gate import Check


class Arm(StrEnum):
    """The two versions of an attempt."""

    STABLE = "stable"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query speaks of; fills the built-in parameters."""

    namespace: str
    rollout: str
    arm: Arm
    version: str
    digest: str
    elapsed: int
    """Seconds since the first exposure in this attempt: at least one period, at most the check's window."""
    step: int
    """The same since the step began."""


@dataclass(frozen=True, slots=True)
class Question:
    """One check of one gate, asked for one arm."""

    gate: str
    check: Check
    source: str
    args: tuple[tuple[str, str], ...]
    subject: Subject

    @property
    def key(self) -> "MeasureKey":
        """Where the answer is found in an Evidence mapping."""
        return MeasureKey(self.gate, self.check.name, self.subject.arm, self.subject.digest)


@dataclass(frozen=True, slots=True)
class MeasureKey:
    """Names one measurement of a look."""

    gate: str
    check: str
    arm: Arm
    digest: str
    """Of the version that was measured: evidence never counts for another one."""


class ReadingKind(StrEnum):
    """How an answer turned out."""

    VALUE = "Value"
    NO_DATA = "NoData"
    ERROR = "Error"


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer to one question.

    VALUE: ``value`` is finite (for a ratio bad/total), ``samples`` is the ratio's total or the samplesQuery's answer.
    NO_DATA: a healthy answer that is empty, NaN or infinite. ERROR: everything else, with the reason in ``message``.
    ``samples`` may be there without a value. For a ratio with total 0 the kind is VALUE with value None and samples 0.
    """

    kind: ReadingKind
    value: float | None = None
    samples: float | None = None
    bad: float | None = None
    message: str = ""


Evidence: TypeAlias = Mapping[MeasureKey, Reading]


@dataclass(frozen=True, slots=True)
class Look:
    """The evidence of one look, all measured at one moment."""

    at: datetime
    readings: Evidence
