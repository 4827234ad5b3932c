"""One object whose writes all fail for a while, as behind an admission webhook that is down, while others answer."""

import time
from dataclasses import replace

from tests.faults.course import Course
from tests.faults.ending import lasting
from tests.faults.faults import UNAVAILABLE, Fault
from tests.faults.playing import PATIENCE, play
from tests.faults.points import Point
from tests.faults.scenarios import Scenario
from tests.faults.world import Place, World

SECONDS = 32.0
"""Longer than headgate waits for answers without a word, which is 30 s."""


class _Outage:
    """From one write of a run on, every write of that object fails, until all is taken back that does not need it."""

    def __init__(self, scenario: Scenario, point: Point, clean: Course) -> None:
        self._scenario = scenario
        self._clean = clean
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
        """Whether a router, or what was released, is not taken back yet though it can be written."""
        scenario, world = self._scenario, self.world
        if world is None or not scenario.rejects:
            return False
        shown = scenario.shown
        exposes = shown.weight(world.newest(shown.kind, shown.name))
        if exposes and self._can_be_written(world, shown.kind, shown.name):
            return True
        attempt = world.newest("Rollout", scenario.rollout).get("status", {}).get("attempt", {})
        return attempt.get("state") == "RollingBack" and any(
            self._can_be_written(world, kind, name) and self._is_not_back(world, kind, name)
            for kind, name in (("Rollout", scenario.rollout), (shown.kind, shown.name))
        )

    def _can_be_written(self, world: World, kind: str, name: str) -> bool:
        return not world.namespace.path(kind, name).endswith(f"/{self._point.about}")

    def _is_not_back(self, world: World, kind: str, name: str) -> bool:
        wanted, found = self._clean.end[f"{kind}/{name}"], lasting(world.newest(kind, name), world.name)
        return wanted.get("spec") != found.get("spec")


def played(scenario: Scenario, point: Point, here: Place, clean: Course) -> tuple[Course, bool]:
    """That scenario, while that object cannot be written from that write on."""
    outage = _Outage(scenario, point, clean)

    def act(world: World) -> None:
        outage.world = world
        scenario.act(world)

    return play(here, replace(scenario, act=act), outage, clean, patience=PATIENCE + SECONDS)
