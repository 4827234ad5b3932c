"""What people are told to do, done to the letter: the command's write, and what the operator makes of it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from headgate.api.rollout import KillSwitch, RolloutSpec
from headgate.api.rollout_status import Phase
from headgate.cli.act.abort import retry
from headgate.cli.act.change import Change
from headgate.cli.act.kill import kill
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.watch.ending import end_of
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


def test_the_retry_that_the_condition_names_tries_what_is_asked_for_under_its_new_name() -> None:
    world = rejected("v8")
    world.add_version("v8-again", digest="sha256:v8")
    del world.versions["v8"]
    world.release("v8-again")
    world.settle()
    named = re.search(r"headgate retry reply --attempt (\d+)$", stalled(world))
    assert named is not None
    write(world, retry(world.view, int(named[1])))
    world.settle()
    assert world.exposed() == {"sha256:v7", "sha256:v8"}
    assert world.status.phase is Phase.PROGRESSING


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


def named_anew(**changes: object) -> World:
    """v8 was rejected, and its content is asked for under another name."""
    world = rejected("v8")
    world.add_version("v8b", digest="sha256:v8")
    world.release("v8b", **changes)
    world.run(HOUR)
    return world


def of_another_family(**changes: object) -> World:
    """After a revert a version of another family is asked for."""
    world = rejected("v8")
    world.add_version("v9x", family="other")
    world.release("v9x", **changes)
    world.run(HOUR)
    return world


@pytest.mark.parametrize(
    ("asked", "why"),
    [(named_anew, "v8 (sha256:v8) was rejected in attempt 1"), (of_another_family, "is of family 'other'")],
)
def test_a_watch_until_the_end_ends_where_no_attempt_can_begin(asked: Callable[[], World], why: str) -> None:
    end = end_of(asked().view, None)
    assert end is not None
    assert end.status is ExitStatus.FAILED
    assert end.says.startswith("ai/reply: no attempt begins: ")
    assert why in end.says


def test_a_watch_until_the_end_goes_on_where_a_retry_is_to_lift_what_is_in_the_way() -> None:
    world = named_anew()
    world.annotate("retry", "1")
    assert end_of(world.view, None) is None


def test_a_watch_until_the_end_waits_for_a_look_at_what_the_spec_names_by_now() -> None:
    world = of_another_family()
    world.release("v9")
    assert end_of(world.view, None) is None


@pytest.mark.parametrize(
    ("asked", "follows"),
    [
        (named_anew, "; nothing rises by itself, everybody stays on stable"),
        (of_another_family, "; no attempt begins: spec.prompt.version: 'v9x' is of family 'other', not 'reply'"),
    ],
)
def test_the_end_of_a_kill_announces_no_attempt_that_cannot_begin(asked: Callable[..., World], follows: str) -> None:
    world = asked(killSwitch="Stable")
    change = kill(world.view, KillSwitch.OFF)
    assert follows in change.says
    write(world, change)
    assert not world.run(HOUR, until=lambda world: world.status.weight > 0)


def test_a_retry_without_a_number_means_what_the_spec_asks_for_under_another_name() -> None:
    world = rejected("v8", "v9")
    world.add_version("v8b", digest="sha256:v8")
    world.release("v8b")
    world.settle()
    write(world, retry(world.view, None))
    world.settle()
    assert world.exposed() == {"sha256:v7", "sha256:v8"}
