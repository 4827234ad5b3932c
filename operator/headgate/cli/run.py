"""`headgate run` as typer sees it: the operator itself."""

from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.failures import CommandError
from headgate.cli.options import checked_name


def run_command(
    *,
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The operator's configuration, YAML.")],
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            "--kubeconfig", metavar="FILE", envvar="KUBECONFIG", help="The pod's ServiceAccount when not given."
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NS", callback=checked_name, help="Watch only this one."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            "--http",
            metavar="ADDR:PORT",
            help="Where /healthz, /readyz and /metrics are served; nowhere when not given.",
        ),
    ] = None,
    lease_namespace: Annotated[
        str | None,
        typer.Option(
            "--lease-namespace",
            metavar="NS",
            callback=checked_name,
            help="Decide only while holding the Lease there. In a pod it is its own; elsewhere none is needed.",
        ),
    ] = None,
) -> None:
    """Run the operator. It logs JSON, one object a line, and ends on SIGTERM or Ctrl-C."""
    from headgate.cli.configuration_file import read_configuration

    if kubeconfig is not None and not kubeconfig.is_file():
        raise typer.BadParameter(f"--kubeconfig {kubeconfig}: no such file")
    address = address_of(http) if http is not None else None
    configuration = read_configuration(config)

    import asyncio

    from headgate.controller import log
    from headgate.controller.operator import run

    log.configure()
    try:
        asyncio.run(
            run(
                configuration,
                kubeconfig=kubeconfig,
                namespace=namespace,
                http_address=address,
                lease_in=lease_namespace,
            )
        )
    except OSError as error:
        # asyncio's words name the address.
        raise CommandError(f"cannot listen: {error.strerror or error}") from error


def address_of(text: str) -> tuple[str, int]:
    """The host and port of ``0.0.0.0:8080`` or ``[::1]:8080``. Raises BadParameter for anything else."""
    host, _, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not host or not port.isdecimal() or int(port) > 65535 or (":" in host and not is_bracketed):
        raise typer.BadParameter(f"--http {text}: write ADDR:PORT, such as 0.0.0.0:8080")
    return host[1:-1] if is_bracketed else host, int(port)
