"""`headgate watch` as typer sees it."""

from typing import Annotated

import typer

from headgate.cli.kube.target import Target
from headgate.cli.options import (
    AllNamespaces,
    Context,
    Kubeconfig,
    Namespace,
    OptionalRolloutName,
    Output,
    OutputFormat,
)


def watch_command(
    rollout: OptionalRolloutName = None,
    *,
    until_end: Annotated[
        bool,
        typer.Option(
            "--until-end",
            help="End with the attempt: 0 when Promoted, 1 when RolledBack, Aborted, Superseded or when none begins.",
        ),
    ] = False,
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Follow Rollouts as they move, live on a terminal, a line for each change elsewhere. Ctrl-C ends it."""
    from headgate.cli.watch.watching import watch

    if until_end and rollout is None:
        raise typer.BadParameter("--until-end needs a ROLLOUT")
    if rollout is not None and all_namespaces:
        raise typer.BadParameter("--all-namespaces goes without a ROLLOUT: name its namespace with -n")
    status = watch(
        Target(kubeconfig, context, namespace), rollout, output, everywhere=all_namespaces, until_end=until_end
    )
    raise typer.Exit(int(status))
