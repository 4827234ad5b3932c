"""The commands that act on a Rollout, as typer sees them. What they decide and write is imported when they run."""

from enum import StrEnum
from typing import Annotated

import typer

from headgate.cli.options import (
    Context,
    Kubeconfig,
    Namespace,
    Output,
    OutputFormat,
    RolloutName,
    Target,
    Timeout,
    Wait,
)


class KillTo(StrEnum):
    """Where everybody goes; the API's own words."""

    STABLE = "Stable"
    LEGACY = "Legacy"
    OFF = "Off"


def approve_command(
    rollout: RolloutName,
    *,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="NAME", help="The step, by its name or weight; the next one if not given."),
    ] = None,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Agree that the step which awaits approval may be entered."""
    from headgate.cli.act.approve import approve
    from headgate.cli.act.carry_out import Patience, carry_out
    from headgate.cli.kube.looking import plan_of

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda connection, view: approve(view, plan_of(connection, view), step),
        patience=Patience(wait, timeout),
        output=output,
    )


def abort_command(
    rollout: RolloutName,
    *,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Take the attempt in flight back: weight 0 everywhere, the spec restored, the version rejected."""
    from headgate.cli.act.abort import abort
    from headgate.cli.act.carry_out import Patience, carry_out

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda _, view: abort(view),
        patience=Patience(wait, timeout),
        output=output,
    )


def retry_command(
    rollout: RolloutName,
    *,
    attempt: Annotated[
        int | None,
        typer.Option("--attempt", metavar="N", min=1, help="The attempt that was rejected; the last if not given."),
    ] = None,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Try a rejected version again: lifts the rejection and puts the version back into the spec."""
    from headgate.cli.act.abort import retry
    from headgate.cli.act.carry_out import Patience, carry_out

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda _, view: retry(view, attempt),
        patience=Patience(wait, timeout),
        output=output,
    )


def promote_command(
    rollout: RolloutName,
    *,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Go to 100 % without the rest of the holds and approvals; while baking, end the bake. A breach still reverts."""
    from headgate.cli.act.approve import promote
    from headgate.cli.act.carry_out import Patience, carry_out
    from headgate.cli.kube.looking import plan_of

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda connection, view: promote(view, plan_of(connection, view)),
        patience=Patience(wait, timeout),
        output=output,
    )


def pause_command(
    rollout: RolloutName,
    *,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Stop weights from rising; judging and reverting go on. Sets spec.paused."""
    from headgate.cli.act.carry_out import Patience, carry_out
    from headgate.cli.act.pause import pause

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda _, view: pause(view),
        patience=Patience(wait, timeout),
        output=output,
    )


def resume_command(
    rollout: RolloutName,
    *,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Let weights rise again: clears spec.paused, and ends the pause that a gate asked for."""
    from headgate.cli.act.carry_out import Patience, carry_out
    from headgate.cli.act.pause import resume

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda _, view: resume(view),
        patience=Patience(wait, timeout),
        output=output,
    )


def kill_command(
    rollout: RolloutName,
    *,
    to: Annotated[
        KillTo, typer.Option("--to", help="Stable or Legacy: everybody, at once. Off raises nothing.")
    ] = KillTo.STABLE,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Put everybody on stable or on the legacy path, at once and without asking. Sets spec.killSwitch."""
    from headgate.api.rollout import KillSwitch
    from headgate.cli.act.carry_out import Patience, carry_out
    from headgate.cli.act.kill import kill

    carry_out(
        Target(kubeconfig, context, namespace),
        rollout,
        lambda _, view: kill(view, KillSwitch(to.value)),
        patience=Patience(wait, timeout),
        output=output,
    )
