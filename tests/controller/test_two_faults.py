"""Two requests of a release fail, one right after the other: whichever they are, it ends like the clean run."""

from collections.abc import Awaitable, Callable
from itertools import product

import pytest

from tests.controller.courses import aborted, bad, good, killed
from tests.controller.film import end
from tests.controller.house import House
from tests.controller.meddled import Fault, goes_on

_WAYS = (Fault.DONE, Fault.CONFLICT, Fault.CRASH_AFTER)
"""Those that leave more behind than a request that was never sent."""


@pytest.mark.parametrize("course", [good, bad, aborted, killed], ids=lambda course: course.__name__)
async def test_two_faults_in_one_run_change_nothing(course: Callable[[], Awaitable[House]]) -> None:
    clean = await course()
    alone, requests = await goes_on(clean, {})
    assert end(alone) == end(clean)
    for first in range(requests):
        for one, other in product(_WAYS, _WAYS):
            house, _ = await goes_on(clean, {first: one, first + 1: other})
            assert end(house) == end(clean), f"{one.name} at request {first}, and {other.name} after it"
