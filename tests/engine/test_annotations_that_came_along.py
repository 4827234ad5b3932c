"""A Rollout that was exported with its annotations: where nothing is on record they name no attempt of it."""

from datetime import timedelta

import pytest

from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import Outcome, Phase
from headgate.engine.alert_note import ALERT, AlertNote
from headgate.engine.beginning import FARTHEST_ATTEMPT
from tests.engine.scenes import HOUR
from tests.engine.world import World, spec, value

OLD_ALERT = AlertNote(1, AlertAction.ROLLBACK, "uid-0/3f0c/2026-11-01T00:00:00Z", "Slow", "Slow").written()


def applied_with(**annotations: str) -> World:
    """v7 is the first version."""
    world = World(spec("v7"), annotations={f"headgate.dev/{name}": text for name, text in annotations.items()})
    world.settle()
    return world


def test_an_old_promote_waives_no_hold_of_the_first_attempt() -> None:
    world = applied_with(promote="1")
    world.release("v8")
    world.run(timedelta(seconds=30))
    assert (max(world.weights), world.phase()) == (10, Phase.PROGRESSING)


def test_an_old_retry_lifts_no_rejection() -> None:
    world = applied_with(retry="1")
    world.answer = lambda question: value(0.5)
    world.release("v8")
    world.run(HOUR)
    assert [rejection.digest for rejection in world.status.rejected] == ["sha256:v8"]
    assert len(world.status.history) == 1


def test_an_old_abort_and_an_old_alert_take_nothing_back() -> None:
    world = applied_with(abort="1", alert=OLD_ALERT)
    assert ALERT in world.annotations
    world.release("v8")
    assert world.run(HOUR, until=lambda world: bool(world.status.history))
    assert world.status.history[0].outcome is Outcome.PROMOTED


def test_an_old_approval_approves_nothing() -> None:
    world = World(spec("v7"), annotations={"headgate.dev/approve": "1/25"})
    world.settle()
    steps = [{"weight": 10, "holdFor": "1m"}, {"weight": 25, "approval": "Required"}, {"weight": 100}]
    world.release("v8", steps=steps)
    world.run(HOUR)
    assert (world.status.weight, world.phase()) == (10, Phase.AWAITING_APPROVAL)


def test_what_people_say_of_the_attempts_that_follow_is_heard() -> None:
    world = applied_with(abort="3")
    world.release("v8")
    world.settle()
    attempt = world.status.attempt
    assert attempt is not None
    assert (attempt.number, world.status.weight) == (4, 10)
    world.annotate("abort", "4")
    world.settle()
    assert (world.phase(), world.exposed()) == (Phase.ROLLED_BACK, {"sha256:v7"})


@pytest.mark.parametrize(
    ("number", "first"),
    [
        (str(FARTHEST_ATTEMPT), FARTHEST_ATTEMPT + 1),
        (str(FARTHEST_ATTEMPT + 1), 1),
        ("9" * 16, 1),
        ("9" * 5000, 1),
        ("-3", 1),
        ("none", 1),
    ],
)
def test_whatever_number_somebody_wrote_attempts_begin_and_are_taken_back(number: str, first: int) -> None:
    world = applied_with(promote=number, alert=OLD_ALERT.replace('"attempt": 1', f'"attempt": {number}'))
    world.release("v8")
    world.settle()
    attempt = world.status.attempt
    assert attempt is not None
    assert (attempt.number, world.status.weight) == (first, 10)
    world.annotate("abort", str(first))
    world.settle()
    assert (world.phase(), world.exposed()) == (Phase.ROLLED_BACK, {"sha256:v7"})
