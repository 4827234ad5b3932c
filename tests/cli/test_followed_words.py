"""What people are told to do, done to the letter: the command's write, and what the operator makes of it."""

import re
from datetime import timedelta

import pytest

from headgate.api.rollout import KillSwitch, RolloutSpec
from headgate.cli.act.abort import retry
from headgate.cli.act.change import Change
from headgate.cli.act.kill import kill
from tests.engine.world import World, spec

HOUR = timedelta(hours=1)


def rejected(*versions: str) -> World:
    """Each of them was tried after v7, one after the other, and aborted by a person."""
    world = World(spec("v7"))
    world.settle()
    for number, version in enumerate(versions, 1):
        world.release(version)
        world.settle()
        assert world.status.weight == 10
        world.annotate("abort", str(number))
        world.settle()
    return world


def write(world: World, change: Change) -> None:
    """What the API server makes of the command's merge patch."""
    if change.annotation is not None:
        name, text = change.annotation
        kept = {known: value for known, value in world.annotations.items() if known != name}
        world.annotations = kept if text is None else {**kept, name: text}
    if change.spec:
        now = world.spec.model_dump(by_alias=True, exclude_unset=True)
        merged = {
            name: {**now[name], **value} if isinstance(value, dict) else value for name, value in change.spec.items()
        }
        world.edit(RolloutSpec.model_validate(now | merged))
    world.resource_version += 1


def stalled(world: World) -> str:
    return next(known.message for known in world.status.conditions if known.type == "Stalled")


def test_the_condition_names_the_retry_of_the_version_that_it_speaks_of() -> None:
    world = rejected("v8", "v9")
    world.release("v8")
    world.settle()
    assert stalled(world).startswith("v8 ")
    named = re.search(r"headgate retry reply --attempt (\d+)$", stalled(world))
    assert named is not None
    write(world, retry(world.view, int(named[1])))
    world.settle()
    assert world.exposed() == {"sha256:v7", "sha256:v8"}
    assert [rejection.version for rejection in world.status.rejected] == ["v9"]


def test_a_retry_without_a_number_begins_what_the_spec_asks_for() -> None:
    world = rejected("v8", "v9")
    world.release("v8")
    world.settle()
    write(world, retry(world.view, None))
    world.settle()
    assert world.exposed() == {"sha256:v7", "sha256:v8"}


@pytest.mark.parametrize("to", [KillSwitch.STABLE, KillSwitch.LEGACY])
def test_what_was_retried_and_killed_before_the_operator_heard_either_stays_rejected(to: KillSwitch) -> None:
    world = rejected("v8")
    write(world, retry(world.view, None))
    write(world, kill(world.view, to))
    world.settle()
    change = kill(world.view, KillSwitch.OFF)
    assert change.says.endswith("nothing rises by itself, everybody stays on stable")
    write(world, change)
    assert not world.run(HOUR, until=lambda world: world.status.weight > 0)
    assert [rejection.version for rejection in world.status.rejected] == ["v8"]
