"""One object whose writes all fail for a while, as behind an admission webhook that is down, while others answer."""

import time
from dataclasses import replace

from tests.faults.course import Course
from tests.faults.faults import UNAVAILABLE, Fault
from tests.faults.playing import PATIENCE, play
from tests.faults.points import Point
from tests.faults.scenarios import Scenario
from tests.faults.world import Place, World

SECONDS = 32.0
"""Longer than headgate waits for answers without a word, which is 30 s."""


class _Outage:
    """From one write of a run on, every write of that object fails; at least so long, and until everybody is back."""

    def __init__(self, scenario: Scenario, point: Point) -> None:
        self._scenario = scenario
        self._point = point
        self._since: float | None = None
        self.world: World | None = None

    def __call__(self, point: Point) -> Fault | None:
        if point == self._point and self._since is None:
            self._since = time.monotonic()
        if self._since is None or not point.writes or point.about != self._point.about:
            return None
        return None if self._is_over(self._since) else UNAVAILABLE

    def _is_over(self, since: float) -> bool:
        return time.monotonic() >= since + SECONDS and not self._holds_back()

    def _holds_back(self) -> bool:
        """Whether somebody is still shown what must be taken back, though its router can be written."""
        shown, world = self._scenario.shown, self.world
        if world is None or not self._scenario.rejects:
            return False
        is_router = world.namespace.path(shown.kind, shown.name).endswith(f"/{self._point.about}")
        return not is_router and bool(shown.weight(world.newest(shown.kind, shown.name)))


def played(scenario: Scenario, point: Point, here: Place, clean: Course) -> tuple[Course, bool]:
    """That scenario, while that object cannot be written from that write on."""
    outage = _Outage(scenario, point)

    def act(world: World) -> None:
        outage.world = world
        scenario.act(world)

    return play(here, replace(scenario, act=act), outage, clean, patience=PATIENCE + SECONDS)
