"""What can happen to the watches of a whole run: their events are lost, come twice or mixed up, or never come again."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.faults.course import Course
from tests.faults.playing import play
from tests.faults.scenarios import Scenario
from tests.faults.world import Place, World
from tests.integration.waiting import eventually
from tests.integration.watch_meddling import MEDDLERS
from tests.integration.watch_streams import Meddle

SOON = {"silence": "3s", "resync": "8s"}
"""What is lost is found by the next list of everything, and a watch that is silent is begun anew."""


@dataclass(frozen=True, slots=True)
class WatchFault:
    """Something that goes on for a whole run."""

    name: str
    befalls: Callable[[World], None]
    """Begins it, before people do anything."""


def _meddled(each: Callable[[], Meddle]) -> WatchFault:
    def befalls(world: World) -> None:
        world.here.proxy.watches.meddle(f"/namespaces/{world.name}/", each)

    return WatchFault(f"events: {each.__name__.replace('_', ' ')}", befalls)


def _silent(world: World) -> None:
    # An operator that was started just now opens its watches one by one.
    eventually(lambda: world.here.proxy.watches.silence(f"/namespaces/{world.name}/"))


WATCH_FAULTS = (*map(_meddled, MEDDLERS), WatchFault("all watches fall silent", _silent))


def played(scenario: Scenario, fault: WatchFault, here: Place, clean: Course) -> tuple[Course, bool]:
    """That scenario while that goes on."""

    def act(world: World) -> None:
        fault.befalls(world)
        scenario.act(world)

    return play(here, replace(scenario, act=act, watches=SOON), clean=clean)[0], True
