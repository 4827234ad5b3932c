"""From answers to a check's reading: what is a value, what is no data, what is an error."""

import pytest

from headgate.api.quality_gate import Check
from headgate.engine.evidence import Reading, ReadingKind
from headgate.evidence.answers import Answer, Failure, Nothing, Trouble, Value
from headgate.evidence.queries import Role
from headgate.evidence.readings import reading

EMPTY = Nothing("no series", empty=True)
NAN = Nothing("the value is nan", empty=False)
RATIO = {"name": "c", "ratio": {"bad": "b", "total": "t"}, "critical": {"above": "5%"}}
LATENCY = {"name": "c", "query": "q", "samplesQuery": "s", "minSamples": 5, "critical": {"above": "5s"}}


def of_ratio(bad: Answer, total: Answer, **more: str) -> Reading:
    return reading(Check.model_validate({**RATIO, **more}), "default", {Role.BAD: bad, Role.TOTAL: total})


def of_query(value: Answer, samples: Answer) -> Reading:
    return reading(Check.model_validate(LATENCY), "default", {Role.VALUE: value, Role.SAMPLES: samples})


@pytest.mark.parametrize(
    ("bad", "total", "value"),
    [(3, 60, 0.05), (0, 10, 0.0), (10, 10, 1.0), (10.4, 10, 1.0), (1, 0.5, 1.0)],
)
def test_a_ratio_is_bad_out_of_total_and_extrapolation_never_makes_it_more_than_all(
    bad: float, total: float, value: float
) -> None:
    found = of_ratio(Value(bad), Value(total))
    assert (found.kind, found.value, found.samples) == (ReadingKind.VALUE, value, total)
    assert found.bad == min(bad, total)


def test_nothing_of_nothing_is_a_value_without_a_value() -> None:
    assert of_ratio(Value(0), Value(0)) == Reading(ReadingKind.VALUE, value=None, samples=0, bad=0)


@pytest.mark.parametrize(("bad", "total"), [(100, 10), (-1, 10), (0, -3)])
def test_counts_that_cannot_be_are_an_error(bad: float, total: float) -> None:
    assert of_ratio(Value(bad), Value(total)).kind is ReadingKind.ERROR


def test_a_missing_total_is_no_data_whatever_absent_bad_says() -> None:
    for total in (EMPTY, NAN):
        assert of_ratio(EMPTY, total, absentBad="Zero").kind is ReadingKind.NO_DATA
        assert of_ratio(Value(1), total).kind is ReadingKind.NO_DATA


def test_a_missing_bad_is_no_data_that_speaks_of_absent_bad_and_zero_with_it() -> None:
    without = of_ratio(EMPTY, Value(20))
    assert without.kind is ReadingKind.NO_DATA
    assert "absentBad: Zero" in without.message
    assert of_ratio(EMPTY, Value(20), absentBad="Zero") == Reading(ReadingKind.VALUE, value=0.0, samples=20, bad=0)


def test_absent_bad_excuses_a_missing_series_and_not_one_that_is_no_number() -> None:
    assert of_ratio(NAN, Value(20), absentBad="Zero").kind is ReadingKind.NO_DATA


@pytest.mark.parametrize("which", [Role.BAD, Role.TOTAL])
def test_a_failure_of_either_is_an_error_that_names_it(which: Role) -> None:
    failure = Failure(Trouble.SEVERAL_SERIES, "2 series")
    answers: dict[Role, Answer] = {Role.BAD: EMPTY, Role.TOTAL: EMPTY, which: failure}
    assert reading(Check.model_validate(RATIO), "default", answers) == Reading(
        ReadingKind.ERROR, message=f"{which.value}: 2 series"
    )


def test_a_failure_of_the_source_names_the_source() -> None:
    failure = Failure(Trouble.UNREACHABLE, "cannot be reached: connection refused")
    assert of_ratio(failure, failure).message == "source 'default' cannot be reached: connection refused"


def test_a_query_has_its_samples_beside_it_and_is_worth_nothing_without() -> None:
    assert of_query(Value(2.5), Value(9)) == Reading(ReadingKind.VALUE, value=2.5, samples=9)
    assert of_query(NAN, Value(9)) == Reading(ReadingKind.NO_DATA, samples=9, message="query: the value is nan")
    assert of_query(Value(2.5), EMPTY).kind is ReadingKind.NO_DATA
    assert of_query(Value(2.5), Value(-1)).kind is ReadingKind.ERROR
