"""`headgate status` as typer sees it."""

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


def status_command(
    rollout: OptionalRolloutName = None,
    *,
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    output: OutputFormat = Output.TEXT,
) -> None:
    """Show where Rollouts stand: what they wait for, and why they did what they did."""
    from headgate.cli.status.showing import show_all, show_one

    target = Target(kubeconfig, context, namespace)
    if rollout is None:
        show_all(target, output, everywhere=all_namespaces)
    elif all_namespaces:
        raise typer.BadParameter("--all-namespaces goes without a ROLLOUT: name its namespace with -n")
    else:
        show_one(target, rollout, output)
