"""Writes a command's result to stdout: for people, with colours only on a terminal, or as JSON for programs."""

import json
import sys
from collections.abc import Sequence

from headgate.cli.tables import Part, plain, rendered
from headgate.cluster.objects import JsonValue


def show(parts: Sequence[Part]) -> None:
    """Parts for people."""
    if not sys.stdout.isatty():
        print(plain(parts))
        return
    from rich.console import Console

    Console().print(rendered(parts))


def show_json(value: JsonValue) -> None:
    """A value for programs; what is not ASCII is escaped, so that it is harmless on a terminal too."""
    print(json.dumps(value, indent=2))


def note(text: str) -> None:
    """A line beside the result, on stderr."""
    print(text, file=sys.stderr)
