"""`headgate git-revert` as typer sees it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.target import Target
from headgate.cli.options import Context, Kubeconfig, Namespace, RolloutName


class PatchFormat(StrEnum):
    """How the change is written."""

    YAML = "yaml"
    JSON = "json"
    PATCH = "patch"


def git_revert_command(
    rollout: RolloutName,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="PATH", help="The manifest in your checkout: prints a diff of it."),
    ] = None,
    output: Annotated[
        PatchFormat | None,
        typer.Option(
            "--output", "-o", help="yaml or json: a merge patch; patch: a diff of --file. patch with --file, else yaml."
        ),
    ] = None,
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Print what to change in Git so that it says the last good version again. Changes nothing itself.

    Nothing to revert: nothing on stdout, a word on stderr, exit status 0.
    """
    from headgate.cli.git_revert import document
    from headgate.cli.git_revert.finding import find
    from headgate.cli.git_revert.in_file import change_in
    from headgate.cli.printing import note
    from headgate.cli.safe_text import one_line

    form = output or (PatchFormat.YAML if file is None else PatchFormat.PATCH)
    if (form is PatchFormat.PATCH) is not (file is not None):
        raise CommandError(
            "-o patch and --file go together: a diff is one of a file; without --file use -o yaml or -o json",
            ExitStatus.USAGE,
        )
    key, revert = find(Target(kubeconfig, context, namespace), rollout)
    if isinstance(revert, str):
        note(one_line(f"{key}: {revert}"))
    elif file is not None:
        change = change_in(file, revert)
        for said in change.notes:
            note(f"note: {one_line(said)}")
        # As bytes: a diff must keep the file's own line ends, whatever the terminal's encoding.
        typer.echo(change.diff.encode(), nl=False)
    else:
        text = document.as_json(revert) if form is PatchFormat.JSON else document.as_yaml(revert)
        typer.echo(text.encode(), nl=False)
