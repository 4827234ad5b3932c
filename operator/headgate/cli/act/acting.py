"""What every command that acts on a Rollout is given on its command line, declared once. Knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Signature, signature
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from headgate.cli.kube.target import Target
from headgate.cli.options import (
    Context,
    DryRun,
    DryRunOption,
    Kubeconfig,
    Namespace,
    Output,
    OutputFormat,
    RolloutName,
    Timeout,
    Wait,
)

if TYPE_CHECKING:
    from headgate.cli.act.change import Change
    from headgate.cli.kube.connection import Connection
    from headgate.engine.observation import RolloutView

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Asked:
    """The Rollout that is meant, and how what is asked of it is carried out."""

    target: Target
    rollout: str
    waits: bool
    seconds: float
    dry_run: DryRun
    output: Output

    def carry_out(self, decide: "Callable[[Connection, RolloutView], Change]") -> None:
        """Writes what follows from the Rollout as it is now. Imports what takes time."""
        from headgate.cli.act.carry_out import Manner, carry_out

        manner = Manner(self.waits, self.seconds, self.dry_run, self.output)
        carry_out(self.target, self.rollout, decide, manner)


def _asked(
    rollout: RolloutName,
    *,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    dry_run: DryRunOption = DryRun.NONE,
    wait: Wait = False,
    timeout: Timeout = 60.0,
    output: OutputFormat = Output.TEXT,
) -> Asked:
    return Asked(Target(kubeconfig, context, namespace), rollout, wait, timeout, dry_run, output)


def acts(command: Callable[Concatenate[Asked, P], None]) -> Callable[..., None]:
    """The command as typer sees it: with the shared arguments and options around those of its own."""
    own = list(signature(command).parameters.values())[1:]
    rollout, *shared = signature(_asked).parameters.values()

    def run(**given: object) -> None:
        mine = {parameter.name: given.pop(parameter.name) for parameter in own}
        command(_asked(**given), **mine)  # type: ignore[arg-type,call-arg]  # typer has checked them by that signature

    run.__doc__ = command.__doc__
    run.__signature__ = Signature([rollout, *own, *shared])  # type: ignore[attr-defined]  # what inspect looks for
    return run
