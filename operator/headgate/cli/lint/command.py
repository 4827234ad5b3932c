"""`headgate lint` as typer sees it: reads the files, prints what lint says, and fails on an error."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.options import Output, OutputFormat

if TYPE_CHECKING:
    from headgate.cli.lint.finding import Finding
    from headgate.cli.lint.reading import SourceFile


Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML files; - is the standard input.")]


def lint_command(files: Files, *, output: OutputFormat = Output.TEXT) -> None:
    """Check Rollouts, QualityGates and PromptVersions without a cluster: schema, references, queries, steps.

    Give together what refers to each other. Each finding is FILE:LINE: what, why, fix; warnings fail nothing.
    """
    from headgate.cli.lint.finding import Finding, Severity
    from headgate.cli.lint.lint import lint

    sources: list[SourceFile] = []
    findings: list[Finding] = []
    for file in dict.fromkeys(files):
        try:
            sources.append(_source(file))
        except OSError as error:
            why = error.strerror or type(error).__name__
            fix = "name a file that can be read"
            findings.append(Finding(str(file), 1, Severity.ERROR, "the file cannot be read", why, fix))
    findings += lint(sources)
    _print(findings, output)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(int(ExitStatus.FAILED))


def _source(file: Path) -> "SourceFile":
    from headgate.cli.lint.reading import MOST_BYTES, SourceFile

    if str(file) == "-":
        return SourceFile("<stdin>", sys.stdin.buffer.read(MOST_BYTES + 1))
    # No device and no pipe without a writer may keep lint waiting, and one byte too many is told from a file that fits.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        return SourceFile(str(file), stream.read(MOST_BYTES + 1))


def _print(findings: "list[Finding]", output: Output) -> None:
    match output:
        case Output.JSON:
            print(json.dumps([finding.document() for finding in findings], indent=2, ensure_ascii=False))
        case Output.TEXT:
            for finding in findings:
                print(finding.text())
