"""The command line: which commands there are, what their --help shows, and nothing of what they do."""

import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from headgate import __version__
from headgate.cli.act import commands as act
from headgate.cli.backup.command import backup_command, restore_command
from headgate.cli.crds import crds_command
from headgate.cli.demo import demo_command
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError, ends_in_one_line
from headgate.cli.git_revert.command import git_revert_command
from headgate.cli.help_text import epilog
from headgate.cli.lint.command import lint_command
from headgate.cli.local import down_command, up_command
from headgate.cli.options import Context, Kubeconfig, Namespace
from headgate.cli.run import run_command
from headgate.cli.status.command import status_command
from headgate.cli.watch.command import watch_command

_HERE = (ExitStatus.OK, ExitStatus.FAILED, ExitStatus.USAGE)
_READS = (*_HERE, ExitStatus.NOT_FOUND, ExitStatus.UNREACHABLE)
_WRITES = (*_READS, ExitStatus.TIMED_OUT)
_SEE, _ACT, _MAKE = "See", "Act", "Run and prepare"

app = typer.Typer(
    name="headgate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local = typer.Typer(
    help="A control plane for one's own play: etcd, kube-apiserver and Prometheus.", no_args_is_help=True
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"headgate {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and end.")
]


@ends_in_one_line
def _refuse_unknown(ctx: typer.Context, given: Mapping[str, object]) -> None:
    """What a command does not know must not be passed over: it would act elsewhere than was meant."""
    name = ctx.invoked_subcommand
    group = ctx.command
    command = group.get_command(ctx, name) if name is not None and isinstance(group, TyperGroup) else None
    if command is None:
        return
    known = {parameter.name for parameter in command.params}
    for option, value in given.items():
        if value is not None and option not in known:
            raise CommandError(f"headgate {name} takes no --{option}", ExitStatus.USAGE)


@app.callback(epilog=epilog("headgate status", "headgate -n ai watch support-reply", statuses=tuple(ExitStatus)))
def _root(
    ctx: typer.Context,
    *,
    version: Version = False,  # noqa: ARG001 - its callback does all of it
    namespace: Namespace = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Progressive delivery of prompts, models and AI configuration to customers, on Kubernetes."""
    # As kubectl has it, these stand before the command or behind it; what stands behind it counts.
    given = {"namespace": namespace, "kubeconfig": kubeconfig, "context": context}
    _refuse_unknown(ctx, given)
    ctx.default_map = {command.name: given for command in app.registered_commands if command.name is not None}


def _add(
    name: str,
    command: Callable[..., None],
    *examples: str,
    statuses: tuple[ExitStatus, ...],
    panel: str,
    to: typer.Typer = app,
) -> None:
    end = epilog(*examples, statuses=statuses)
    to.command(name, epilog=end, rich_help_panel=panel)(ends_in_one_line(command))


_add(
    "status",
    status_command,
    "headgate status -A",
    "headgate status support-reply -n ai",
    statuses=_READS,
    panel=_SEE,
)
_add(
    "watch",
    watch_command,
    "headgate watch support-reply -n ai",
    "headgate watch support-reply --until-end && echo good",
    statuses=_READS,
    panel=_SEE,
)
_add(
    "approve",
    act.approve_command,
    "headgate approve support-reply -n ai",
    "headgate approve support-reply --step beta --wait",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "abort",
    act.abort_command,
    "headgate abort support-reply -n ai --wait",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "retry",
    act.retry_command,
    "headgate retry support-reply -n ai",
    "headgate retry support-reply --attempt 3",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "promote",
    act.promote_command,
    "headgate promote support-reply -n ai",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "pause",
    act.pause_command,
    "headgate pause support-reply -n ai",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "resume",
    act.resume_command,
    "headgate resume support-reply -n ai",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "kill",
    act.kill_command,
    "headgate kill support-reply -n ai",
    "headgate kill support-reply --to Off",
    statuses=_WRITES,
    panel=_ACT,
)
_add(
    "git-revert",
    git_revert_command,
    "headgate git-revert support-reply -n ai",
    "headgate git-revert support-reply --file prod/reply.yaml | git apply",
    statuses=_READS,
    panel=_SEE,
)
_add(
    "run",
    run_command,
    "headgate run --config headgate.yaml",
    "headgate run --config headgate.yaml --namespace ai --http 0.0.0.0:8080",
    statuses=_HERE,
    panel=_MAKE,
)
_add(
    "backup",
    backup_command,
    "headgate backup --all-namespaces -o headgate.json",
    statuses=_READS,
    panel=_MAKE,
)
_add(
    "restore",
    restore_command,
    "headgate restore headgate.json --verify",
    "headgate restore headgate.json --context new-cluster",
    statuses=_READS,
    panel=_MAKE,
)
_add(
    "lint",
    lint_command,
    "headgate lint rollout.yaml gates/*.yaml",
    "helm template . | headgate lint - -o json",
    statuses=_HERE,
    panel=_MAKE,
)
_add(
    "crds",
    crds_command,
    "headgate crds | kubectl apply --server-side -f -",
    "headgate crds --dir crds",
    statuses=_HERE,
    panel=_MAKE,
)
_add(
    "demo",
    demo_command,
    "headgate demo --seconds-per-step 6",
    statuses=_HERE,
    panel=_MAKE,
)
_add(
    "up",
    up_command,
    "headgate local up --dir /tmp/headgate",
    statuses=_HERE,
    panel=_MAKE,
    to=local,
)
_add(
    "down",
    down_command,
    "headgate local down --dir /tmp/headgate",
    statuses=_HERE,
    panel=_MAKE,
    to=local,
)
app.add_typer(local, name="local", rich_help_panel=_MAKE)


def main() -> None:
    """The program: ``headgate``, or ``kubectl headgate`` when kubectl found it as its plugin."""
    for stream in (sys.stdout, sys.stderr):
        # A message of a Rollout must not end a command where the terminal speaks no UTF-8.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    is_plugin = Path(sys.argv[0]).name.startswith("kubectl-headgate")
    app(prog_name="kubectl headgate" if is_plugin else "headgate")
