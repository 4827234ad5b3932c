"""`headgate crds` as typer sees it."""

from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.failures import CommandError


def crds_command(
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Write a file for each kind there; stdout when not given."),
    ] = None,
) -> None:
    """Write the CustomResourceDefinitions, generated from the models."""
    from headgate.api.crds import files, write

    if directory is None:
        print("---\n".join(text.removeprefix("---\n") for text in files().values()), end="")
        return
    try:
        written = write(directory)
    except OSError as error:
        raise CommandError(f"{directory}: {error.strerror}: choose another --dir") from error
    for file in written:
        print(file)
