"""Plays a scenario once, with or without a fault, and gathers what happened. Judges nothing but whether it is over."""

import time

from tests.faults import ending, oracles
from tests.faults.course import Course
from tests.faults.scenarios import Scenario
from tests.faults.strikes import Strike, nothing
from tests.faults.world import Place, World
from tests.integration.cluster import Document
from tests.integration.waiting import NeverHappened

REST = 1.2
"""Seconds without a request that count as rest: longer than anything that headgate puts off for a moment."""
PATIENCE = 120.0
"""Seconds from the fault to the end that the clean run has: the longest pause between two tries is ten, and the rest is
for machines that are busy with other runs."""


class NotBegun(NeverHappened):
    """What comes before the fault did not happen, so that this says nothing of the fault."""


def play(
    here: Place,
    scenario: Scenario,
    strike: Strike = nothing,
    clean: Course | None = None,
    *,
    patience: float = PATIENCE,
) -> tuple[Course, bool]:
    """What happened, and whether any request was struck. Raises NotBegun before, NeverHappened in what people do.

    ``clean`` is the run whose end this one is to come to; it has ``patience`` seconds for that.
    """
    with World(here, scenario.watches) as world:
        _prepare(world, scenario)
        world.conductor.begin(strike)
        scenario.act(world)
        deadline = time.monotonic() + patience
        is_over = _is_over(world, scenario, patience)
        while True:
            is_quiet = world.conductor.is_quiet(REST, within=max(2 * REST, deadline - time.monotonic()))
            end = ending.ending(world)
            settled = clean is None or not oracles.differ(end, dict(clean.end))
            if settled or time.monotonic() > deadline:
                break
            time.sleep(REST)
        return _course(world, scenario, end, is_over=is_over, is_quiet=is_quiet), world.conductor.strikes > 0


def _prepare(world: World, scenario: Scenario) -> None:
    try:
        scenario.prepare(world)
    except NeverHappened as error:
        raise NotBegun(str(error)) from error
    if not world.conductor.is_quiet(REST, within=PATIENCE):
        raise NotBegun(f"{scenario.name}: it does not come to rest before it begins")


def _is_over(world: World, scenario: Scenario, patience: float) -> bool:
    try:
        world.here.chronicle.wait(
            world.name,
            "Rollout",
            scenario.rollout,
            lambda state: scenario.is_over(state["status"]),
            within=patience,
        )
    except NeverHappened:
        return False
    return True


def _course(world: World, scenario: Scenario, end: dict[str, Document], *, is_over: bool, is_quiet: bool) -> Course:
    shown = scenario.shown
    for kind in ("Rollout", shown.kind):
        world.here.chronicle.catch_up(world.name, kind, world.namespace.every(kind))
    router = world.states(shown.kind, shown.name)
    weights: list[int] = []
    for state in router:
        weight = shown.weight(state)
        if weight is not None and weights[-1:] != [weight]:
            weights.append(weight)
    return Course(
        scenario=scenario,
        namespace=world.name,
        rollout=world.states("Rollout", scenario.rollout),
        router=router,
        requests=world.conductor.act(),
        end=end,
        is_over=is_over,
        is_quiet=is_quiet,
        troubles=world.operator.troubles(),
        strikes=world.conductor.strikes,
        overtaken=[_called(path) for path in world.overtaken],
        weights=weights,
    )


_KIND_OF = {
    "rollouts": "Rollout",
    "promptversions": "PromptVersion",
    "qualitygates": "QualityGate",
    "configmaps": "ConfigMap",
    "httproutes": "HTTPRoute",
    "inferenceservices": "InferenceService",
}


def _called(path: str) -> str:
    """The kind and name of what a path leads to."""
    plural, name = path.rsplit("/", 2)[-2:]
    return f"{_KIND_OF[plural]}/{name}"
