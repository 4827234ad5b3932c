"""Which requests of a run meet which fault. Asked of each request, in order."""

from collections import Counter
from collections.abc import Callable

from tests.faults.faults import Fault
from tests.faults.points import Point

Strike = Callable[[Point], Fault | None]
"""The fault that a request meets; None for those that pass."""


def nothing(_point: Point) -> None:
    """A clean run."""


class Once:
    """One request meets one fault; what looks the same after it passes."""

    def __init__(self, fault: Fault, point: Point) -> None:
        self._fault: Fault | None = fault
        self._point = point

    def __call__(self, point: Point) -> Fault | None:
        if point != self._point:
            return None
        fault, self._fault = self._fault, None
        return fault


class EveryWrite:
    """Each write meets a fault once before it is done, and another one when the next operator has done it."""

    def __init__(self, before: Fault, after: Fault) -> None:
        self._faults = (before, after)
        self._times: Counter[str] = Counter()

    def __call__(self, point: Point) -> Fault | None:
        # An Event is told of once at best, and a version's stage follows when it can.
        if not point.writes or point.kind[1] in ("events", "promptversions/status"):
            return None
        about = f"{point.method} {point.about}"
        self._times[about] += 1
        if self._times[about] > len(self._faults):
            return None
        fault = self._faults[self._times[about] - 1]
        if point.about.startswith("rollouts/") and fault is self._faults[-1]:
            # The attempt is further now, and what looks the same from here on is another write.
            self._times.clear()
        return fault
