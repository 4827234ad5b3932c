"""The operator's own asynchronous client, for commands that need more kinds than Rollouts. Knows no command."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from yaml import YAMLError

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.connection import connect
from headgate.cli.kube.target import Target
from headgate.cluster.client import Client
from headgate.cluster.credentials import credentials
from headgate.cluster.objects import Refused, Unavailable

_Result = TypeVar("_Result")


async def connected(target: Target, work: Callable[[Client], Awaitable[_Result]]) -> _Result:
    """What the work makes of a client. Raises what it raises, and CommandError without a usable kubeconfig.

    Credentials that are not accepted are a CommandError too: nobody but a person gives others.
    """
    kubeconfig = _kubeconfig(target)
    try:
        configuration = await credentials(kubeconfig, target.context)
    except (Refused, TypeError, AttributeError, YAMLError) as error:
        # The kubeconfig's own mistakes end like wrong arguments, as where it is read for one kind alone.
        said = str(error) if isinstance(error, Refused) else f"kubeconfig {kubeconfig}: {error}; give --kubeconfig FILE"
        raise CommandError(said, ExitStatus.USAGE) from error
    try:
        client = Client(configuration)
    except OSError as error:
        # Certificates and keys are read here, the ones that the kubeconfig holds itself too.
        said = f"kubeconfig {kubeconfig}: its certificates cannot be used: {error}; give --kubeconfig FILE"
        raise CommandError(said, ExitStatus.USAGE) from error
    try:
        return await work(client)
    except Unavailable as error:
        if error.unauthorized:
            said = f"{error}: the API server does not accept the kubeconfig's credentials: log in again"
            raise CommandError(said) from error
        raise
    finally:
        await client.close()


def namespace_of(target: Target) -> str:
    """The namespace that is meant: the one that was named, or the context's."""
    with connect(target) as connection:
        return connection.namespace


def _kubeconfig(target: Target) -> Path | None:
    """The file that is named, as kubectl looks for it; None: the pod's own account."""
    if target.kubeconfig is not None:
        if not target.kubeconfig.is_file():
            raise CommandError(f"--kubeconfig {target.kubeconfig}: no such file", ExitStatus.USAGE)
        return target.kubeconfig
    named = os.environ.get("KUBECONFIG")
    if named:
        return Path(named)
    usual = Path("~/.kube/config").expanduser()
    return usual if usual.is_file() else None
