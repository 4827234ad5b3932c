"""The arguments and options that several commands share. Imports nothing that takes time."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headgate.cli.completion import rollout_names

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SHORTEST, _LONGEST = 0.1, 604_800.0
"""How many seconds a wait may last; the longest is a week."""


class Output(StrEnum):
    """For whom a command writes."""

    TEXT = "text"
    JSON = "json"


class DryRun(StrEnum):
    """How much of a write happens; kubectl's words."""

    NONE = "none"
    CLIENT = "client"
    SERVER = "server"

    @property
    def mark(self) -> str:
        """What stands behind a sentence about a write that did not happen, as kubectl says it."""
        return {DryRun.NONE: "", DryRun.CLIENT: " (dry run)", DryRun.SERVER: " (server dry run)"}[self]


def checked_name(name: str | None) -> str | None:
    """The same name, if it may become a part of a URL. Raises BadParameter."""
    if name is not None and (_NAME.fullmatch(name) is None or ".." in name):
        raise typer.BadParameter(f"{name!r} is no name of a Kubernetes object")
    return name


def checked_seconds(seconds: float) -> float:
    """The same time, if one can wait for so long. Raises BadParameter."""
    # In this order of words what is no number is refused too.
    if not _SHORTEST <= seconds <= _LONGEST:
        raise typer.BadParameter(f"{seconds:g} is not in the range of {_SHORTEST:g} to {_LONGEST:.0f} seconds")
    return seconds


RolloutName = Annotated[
    str, typer.Argument(metavar="ROLLOUT", autocompletion=rollout_names, callback=checked_name, help="The Rollout.")
]
OptionalRolloutName = Annotated[
    str | None,
    typer.Argument(
        metavar="ROLLOUT",
        autocompletion=rollout_names,
        callback=checked_name,
        help="One Rollout; all when not given.",
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", metavar="NS", callback=checked_name, help="Its namespace; the context's when not given."
    ),
]
AllNamespaces = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Those of every namespace.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", metavar="FILE", help="The kubeconfig; KUBECONFIG or ~/.kube/config when not given."),
]
Context = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="A context of the kubeconfig; its current one when not given."),
]
OutputFormat = Annotated[Output, typer.Option("--output", "-o", help="text for people, json for programs.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return only when the operator has acted.")]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", callback=checked_seconds, help="How long --wait waits, a week at most."
    ),
]
DryRunOption = Annotated[
    DryRun,
    typer.Option("--dry-run", help="client: only say what would be written; server: and let the API server check it."),
]
