"""Which runs there are: each scenario clean, then each of its requests with each fault, each in a run of its own.

A group is a sort of fault: what it does to which scenarios. Another group is another function in GROUPS.
"""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from tests.faults import faults, oracles, outages, stale_lists, watch_faults
from tests.faults.course import Course
from tests.faults.playing import NotBegun, play
from tests.faults.points import Point
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.strikes import EveryWrite, Once
from tests.faults.world import Place
from tests.integration.waiting import NeverHappened

_TRIES = 3
"""What a run does is a little different each time: the request that is to be struck may not come by in the first."""
_MANY_CRASHES = 300.0
"""Seconds for a run in which an operator is started again for each write."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run with one fault."""

    group: str
    scenario: str
    fault: str
    where: str
    """What the fault meets."""
    sort: tuple[str, ...]
    """Cases of one sort are so much alike that a slice has one of them."""
    play: Callable[[Place, Course], tuple[Course, bool]]
    """What happened, and whether the fault did. Raises NeverHappened."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case."""

    case: Case
    complaints: Sequence[str]
    met: bool
    """Whether the fault happened at all."""

    @property
    def failed(self) -> bool:
        """Whether a rule was broken. That the request never came by is no failure: runs are a little different."""
        return bool(self.complaints)


def _cases_of(group: str, scenario: Scenario, struck: Iterable[faults.Fault], points: Iterable[Point]) -> list[Case]:
    return [
        Case(
            group,
            scenario.name,
            fault.name,
            str(point),
            (fault.sort, *point.kind),
            partial(_play, scenario, fault, point),
        )
        for point in points
        for fault in struck
        if fault.only in ("", point.method)
    ]


def _play(scenario: Scenario, fault: faults.Fault, point: Point, here: Place, clean: Course) -> tuple[Course, bool]:
    return play(here, scenario, Once(fault, point), clean)


def _writes(scenario: Scenario, clean: Course) -> list[Case]:
    points = [request.point for request in clean.requests if request.point.writes]
    if scenario.reads:
        return []
    first = {point.kind: point for point in reversed(points)}
    slow = _cases_of("writes", scenario, faults.SLOW, sorted(first.values()))
    return [*_cases_of("writes", scenario, faults.WRITES, points), *slow]


def _crashes(scenario: Scenario, _clean: Course) -> list[Case]:
    fault = "SIGKILL before and after each"
    return [Case("crashes", scenario.name, fault, "every write", (str(scenario.rejects),), partial(_crash, scenario))]


def _crash(scenario: Scenario, here: Place, clean: Course) -> tuple[Course, bool]:
    return play(here, scenario, EveryWrite(*faults.KILLS), clean, patience=_MANY_CRASHES)


def _reads(scenario: Scenario, clean: Course) -> list[Case]:
    # When everything is listed again is no matter of the release, but where an operator begins with it.
    points = [
        request.point
        for request in clean.requests
        if not request.point.writes and (scenario.reads or "/" in request.point.about)
    ]
    return _cases_of("reads", scenario, faults.READS, points)


def _watches(scenario: Scenario, _clean: Course) -> list[Case]:
    return [
        Case(
            "watches",
            scenario.name,
            fault.name,
            "all watches",
            (fault.name,),
            partial(watch_faults.played, scenario, fault),
        )
        for fault in watch_faults.WATCH_FAULTS
    ]


def _objects(scenario: Scenario, clean: Course) -> list[Case]:
    return [
        Case(
            "objects",
            scenario.name,
            "500 to every write of one object",
            f"from {point} on",
            (str(scenario.rejects), *point.kind),
            partial(outages.played, scenario, point),
        )
        for point in (request.point for request in clean.requests)
        if point.writes and "events" not in point.about and not scenario.reads
    ]


def _lists(scenario: Scenario, clean: Course) -> list[Case]:
    points = [
        request.point for request in clean.requests if request.point.writes and "events" not in request.point.about
    ]
    return [
        Case(
            "lists",
            scenario.name,
            since,
            str(point),
            (since, *point.kind),
            partial(stale_lists.played, scenario, point, since),
        )
        for point in points
        for since in (stale_lists.JUST_BEFORE, stale_lists.BEFORE_THE_RELEASE)
        if not scenario.reads
    ]


GROUPS: Mapping[str, Callable[[Scenario, Course], list[Case]]] = {
    "writes": _writes,
    "reads": _reads,
    "crashes": _crashes,
    "watches": _watches,
    "lists": _lists,
    "objects": _objects,
}
"""By name, the cases that a scenario has, from its clean run."""


def clean_runs(here: Place, scenarios: Iterable[Scenario] = SCENARIOS, *, at_once: int) -> dict[str, Course]:
    """Each scenario without a fault, by its name. Raises AssertionError when a clean run breaks a rule."""
    with ThreadPoolExecutor(at_once) as pool:
        played = {scenario.name: pool.submit(play, here, scenario) for scenario in scenarios}
    courses = {name: future.result()[0] for name, future in played.items()}
    for name, course in courses.items():
        wrong = oracles.complaints(course, course)
        assert not wrong, f"the clean run of {name}: {wrong}"
    return courses


def cases(clean: Mapping[str, Course], groups: Iterable[str] = GROUPS) -> list[Case]:
    """All cases of those clean runs, the same in the same order each time."""
    return [
        case
        for group in groups
        for scenario in SCENARIOS
        if scenario.name in clean
        for case in GROUPS[group](scenario, clean[scenario.name])
    ]


def one_of_each_sort(chosen: Iterable[Case]) -> list[Case]:
    """A slice: every sort of request meets every sort of fault once, and every fault is among them."""
    sorts: dict[tuple[str, ...], list[Case]] = {}
    for case in chosen:
        sorts.setdefault((case.group, *case.sort), []).append(case)
    times: Counter[str] = Counter()
    taken: list[Case] = []
    for alike in sorts.values():
        taken.append(min(alike, key=lambda case: times[case.fault]))
        times[taken[-1].fault] += 1
    return taken


def run(
    here: Place,
    chosen: Sequence[Case],
    clean: Mapping[str, Course],
    *,
    at_once: int,
    seconds: float = math.inf,
    tell: Callable[[Result], None] = lambda _result: None,
) -> list[Result]:
    """Plays those cases in a mixed order, so many at a time; ``tell`` is told of each result when it is there.

    None begins when so many seconds are over.
    """
    mixed, results, deadline = [*chosen], list[Result](), time.monotonic() + seconds
    # So that a part of them is a sample of all, and all that is slow does not come at once.
    random.Random(0).shuffle(mixed)
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(_result, here, case, clean[case.scenario], deadline) for case in mixed]
        for future in as_completed(futures):
            if (result := future.result()) is not None:
                results.append(result)
                tell(result)
    return results


def _result(here: Place, case: Case, clean: Course, deadline: float) -> Result | None:
    if time.monotonic() > deadline:
        return None
    why = ""
    for _ in range(_TRIES):
        try:
            course, met = case.play(here, clean)
        except NotBegun as error:
            # A machine that is too busy for it, or a fault of the very beginning, which has a scenario of its own.
            why = f"it does not even begin: {str(error)[:1500]}"
            continue
        except (NeverHappened, AssertionError) as error:
            return Result(case, [f"it does not come so far: {str(error)[:1500]}"], met=True)
        if met:
            return Result(case, oracles.complaints(course, clean), met=True)
        why = ""
    return Result(case, [why] if why else [], met=False)
