"""`headgate demo` as typer sees it."""

from typing import Annotated

import typer

from headgate.cli.failures import CommandError


def demo_command(
    *,
    seconds_per_step: Annotated[
        int, typer.Option("--seconds-per-step", metavar="N", min=1, max=600, help="How long each step is held.")
    ] = 5,
) -> None:
    """Show a good and a bad release on real parts: control plane, Prometheus, operator, a service of 40 companies."""
    try:
        from headgate.local.demo.main import run
    except ModuleNotFoundError as error:
        raise CommandError(f"the demo needs {error.name}: install headgate[local]") from error
    raise typer.Exit(run(seconds_per_step))
