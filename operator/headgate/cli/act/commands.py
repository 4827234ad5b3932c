"""The commands that act on a Rollout, as typer sees them. What they decide and write is imported when they run."""

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from headgate.cli.act.acting import Asked, acts


class KillTo(StrEnum):
    """Where everybody goes; the API's own words."""

    STABLE = "Stable"
    LEGACY = "Legacy"
    OFF = "Off"


@acts
def approve_command(
    asked: Asked,
    *,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="NAME", help="The step, by its name or weight; the next one if not given."),
    ] = None,
) -> None:
    """Agree that the step which awaits approval may be entered."""
    from headgate.cli.act.approve import approve
    from headgate.cli.kube.looking import plan_of

    asked.carry_out(lambda connection, view: approve(view, plan_of(connection, view), step))


@acts
def abort_command(asked: Asked) -> None:
    """Take the attempt in flight back: weight 0 everywhere, the spec restored, the version rejected."""
    from headgate.cli.act.abort import abort

    asked.carry_out(lambda _, view: abort(view))


@acts
def retry_command(
    asked: Asked,
    *,
    attempt: Annotated[
        int | None,
        typer.Option(
            "--attempt",
            metavar="N",
            min=1,
            help="The attempt that was rejected; if not given, that of what the spec names, else the last.",
        ),
    ] = None,
) -> None:
    """Try a rejected version again: lifts the rejection and puts the version back into the spec."""
    from headgate.cli.act.abort import retry

    asked.carry_out(lambda connection, view: retry(view, attempt, partial(connection.rollouts.family, view.namespace)))


@acts
def promote_command(asked: Asked) -> None:
    """Go to 100 % without the rest of the holds and approvals; while baking, end the bake. A breach still reverts."""
    from headgate.cli.act.approve import promote
    from headgate.cli.kube.looking import plan_of

    asked.carry_out(lambda connection, view: promote(view, plan_of(connection, view)))


@acts
def pause_command(asked: Asked) -> None:
    """Stop weights from rising; judging and reverting go on. Sets spec.paused."""
    from headgate.cli.act.pause import pause

    asked.carry_out(lambda _, view: pause(view))


@acts
def resume_command(asked: Asked) -> None:
    """Let weights rise again: clears spec.paused, and ends the pause that a gate asked for."""
    from headgate.cli.act.pause import resume

    asked.carry_out(lambda _, view: resume(view))


@acts
def kill_command(
    asked: Asked,
    *,
    to: Annotated[
        KillTo, typer.Option("--to", help="Stable or Legacy: everybody, at once. Off raises nothing rejected.")
    ] = KillTo.STABLE,
) -> None:
    """Put everybody on stable or on the legacy path, at once and without asking. Sets spec.killSwitch."""
    from headgate.api.rollout import KillSwitch
    from headgate.cli.act.kill import kill

    asked.carry_out(lambda _, view: kill(view, KillSwitch(to.value)))
