"""The scenes that engine tests begin with, and what is seen there as the person on call would see it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout_status import Phase, RolloutStatus
from headgate.engine.evidence import Arm, Question, Reading
from tests.engine.world import NO_DATA, World, spec, value

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FLAG = "flag/flags/flags.json#reply"


def at_step(weight: int, **changes: object) -> World:
    """A world whose attempt of v8 has just reached that weight."""
    world = World(spec("v7", **changes))
    world.settle()
    world.release("v8")
    assert world.run(HOUR, until=lambda world: world.status.weight == weight)
    return world


def about_to_be_promoted() -> World:
    """A world whose attempt of v8 holds its last step and needs no bake after it."""
    steps = [{"weight": 10, "holdFor": "1m"}, {"weight": 100, "holdFor": "1m"}]
    return at_step(100, steps=steps, bakeFor=None)


def in_phase(phase: Phase) -> Callable[[World], bool]:
    """A condition to run a world until."""
    return lambda world: world.phase() is phase


def condition(world: World, name: str) -> str:
    """``status/reason`` of a condition."""
    known = next(known for known in world.status.conditions if known.type == name)
    return f"{known.status.value}/{known.reason}"


def condition_of(status: RolloutStatus, name: str) -> str:
    """The status of a condition."""
    return next(known.status.value for known in status.conditions if known.type == name)


def shown(world: World, **changes: object) -> None:
    """Somebody else writes the router."""
    world.shown[FLAG] = replace(world.shown[FLAG], **changes)  # type: ignore[arg-type]


def comparing(candidate: float, stable: float | None, samples: float = 1000) -> Callable[[Question], Reading]:
    """Answers by arm; stable None stands for no data."""

    def answer(question: Question) -> Reading:
        if question.subject.arm is Arm.CANDIDATE:
            return value(candidate)
        return value(stable, samples) if stable is not None else NO_DATA

    return answer
