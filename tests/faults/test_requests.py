"""A slice of the matrix: one request of every sort meets every sort of fault. `make faults` plays all of it."""

import pytest

from tests.faults import matrix, report
from tests.faults.course import Course
from tests.faults.world import Place

AT_ONCE = 12


@pytest.fixture(scope="module")
def clean(here: Place) -> dict[str, Course]:
    """Every scenario without a fault; a rule that is broken there fails here."""
    return matrix.clean_runs(here, at_once=AT_ONCE)


@pytest.mark.parametrize("group", matrix.GROUPS)
def test_every_sort_of_request_with_every_sort_of_fault(here: Place, clean: dict[str, Course], group: str) -> None:
    chosen = matrix.one_of_each_sort(matrix.cases(clean, [group]))
    results = matrix.run(here, chosen, clean, at_once=AT_ONCE)
    assert report.failures(results) == ""
    assert len(results) == len(chosen)
