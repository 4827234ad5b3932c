"""Tab completion of rollouts' names and steps: bounded, quick, and silent when the cluster does not answer."""

import logging
from contextlib import suppress
from pathlib import Path
from threading import Thread

import typer

_PATIENCE_SECONDS = 1.5
_MOST_NAMES = 200


def rollout_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names that begin so, of the namespace that the command line means; none when they are not known in time."""
    found: list[str] = []

    def ask() -> None:
        with suppress(Exception):
            found.extend(_names(ctx, incomplete))

    logging.disable()
    # A thread of its own, since a credential plugin of the kubeconfig may take as long as it likes.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE_SECONDS)
    return list(found)


def _names(ctx: typer.Context, incomplete: str) -> list[str]:
    from headgate.cli.kube.connection import connect
    from headgate.cli.kube.target import Target

    # The command's own options, or else those before it.
    before = ctx.parent.params if ctx.parent is not None else {}
    kubeconfig, context, namespace = (
        ctx.params.get(name) or before.get(name) for name in ("kubeconfig", "context", "namespace")
    )
    target = Target(Path(kubeconfig) if kubeconfig else None, context, namespace)
    with connect(target, timeout=_PATIENCE_SECONDS) as connection:
        names = connection.rollouts.names(connection.namespace, most=500)
    return [name for name in names if name.startswith(incomplete)][:_MOST_NAMES]
