"""`headgate local up` and `down` as typer sees them: a control plane for one's own play."""

from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.failures import CommandError

Directory = Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where its files are.")]


def up_command(*, directory: Directory) -> None:
    """Start etcd, kube-apiserver and Prometheus; returns when they are ready, with kubeconfig and local.json in DIR."""
    try:
        from headgate.local.up import up
    except ModuleNotFoundError as error:
        raise CommandError(f"a local control plane needs {error.name}: install headgate[local]") from error
    up(directory)
    print(f"ready: export KUBECONFIG={directory.absolute() / 'kubeconfig'}")


def down_command(*, directory: Directory) -> None:
    """Stop what `up` started in DIR. Its data stay."""
    from headgate.local.down import down

    down(directory)
    print(f"stopped: {directory.absolute()}")
