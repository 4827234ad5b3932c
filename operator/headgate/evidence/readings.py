"""From the answers to a check's queries to the reading that the engine judges. Pure."""

from collections.abc import Mapping

from headgate.api.quality_gate import AbsentBad, Check
from headgate.engine.evidence import Reading, ReadingKind
from headgate.evidence.answers import OF_THE_SOURCE, Answer, Failure, Nothing, Value
from headgate.evidence.queries import Role

_EXTRAPOLATION_FACTOR = 1.5
_EXTRAPOLATION_COUNT = 1.0


def reading(check: Check, source: str, answers: Mapping[Role, Answer]) -> Reading:
    """The reading of a check. A failed query makes it an ERROR, one without a number NO_DATA."""
    for role, answer in answers.items():
        if isinstance(answer, Failure):
            where = f"source {source!r}" if answer.trouble in OF_THE_SOURCE else f"{role.value}:"
            return error_reading(f"{where} {answer.message}")
    return _ratio(check, answers) if check.ratio is not None else _value(answers)


def error_reading(message: str) -> Reading:
    """The reading of a check that could not be measured."""
    return Reading(ReadingKind.ERROR, message=message)


def _value(answers: Mapping[Role, Answer]) -> Reading:
    samples = None
    # Without its count a value is worth nothing: nobody could tell whether it stands on enough.
    if Role.SAMPLES in answers:
        match answers[Role.SAMPLES]:
            case Value(number) if number >= 0:
                samples = number
            case Value(number):
                return error_reading(f"{Role.SAMPLES.value}: counts {number:g}, and a count is never below 0")
            case nothing:
                return _no_data(Role.SAMPLES, nothing)
    value = answers[Role.VALUE]
    if not isinstance(value, Value):
        return _no_data(Role.VALUE, value, samples)
    return Reading(ReadingKind.VALUE, value=value.number, samples=samples)


def _ratio(check: Check, answers: Mapping[Role, Answer]) -> Reading:
    total, bad = answers[Role.TOTAL], answers[Role.BAD]
    if not isinstance(total, Value):
        return _no_data(Role.TOTAL, total)
    if isinstance(bad, Nothing) and bad.empty and check.absent_bad is AbsentBad.ZERO:
        bad = Value(0.0)
    if isinstance(bad, Nothing) and bad.empty:
        return Reading(
            ReadingKind.NO_DATA,
            samples=total.number,
            message=f"{Role.BAD.value}: no series; if a counter that never fired counts as none, write absentBad: Zero",
        )
    if not isinstance(bad, Value):
        return _no_data(Role.BAD, bad, total.number)
    return _quotient(bad.number, total.number)


def _quotient(bad: float, total: float) -> Reading:
    """Bad out of total. ``increase()`` extrapolates each series by itself, so that bad may exceed total by a little.

    That much counts as all bad. With more the two do not count the same requests, and their quotient means nothing.
    """
    if bad < 0 or total < 0:
        return error_reading(f"bad is {bad:g} and total {total:g}, and a count is never below 0: use increase()")
    if bad > total * _EXTRAPOLATION_FACTOR + _EXTRAPOLATION_COUNT:
        return error_reading(f"bad is {bad:g} out of a total of {total:g}: let both queries select the same requests")
    bad = min(bad, total)
    return Reading(ReadingKind.VALUE, value=bad / total if total > 0 else None, samples=total, bad=bad)


def _no_data(role: Role, answer: Answer, samples: float | None = None) -> Reading:
    message = answer.message if isinstance(answer, Nothing) else ""
    return Reading(ReadingKind.NO_DATA, samples=samples, message=f"{role.value}: {message}")
