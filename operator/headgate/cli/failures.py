"""Where every expected failure ends: one line on stderr and an exit status. Knows the errors' types, no command."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.safe_text import one_line
from headgate.cluster.objects import ClusterError, NotFound, Unavailable
from headgate.local.errors import LocalError

P = ParamSpec("P")


class CommandError(Exception):
    """A command cannot do what was asked; the text says what happened, where, and what to do."""

    def __init__(self, message: str, status: ExitStatus = ExitStatus.FAILED) -> None:
        super().__init__(message)
        self.status = status


def ends_in_one_line(command: Callable[P, None]) -> Callable[P, None]:
    """The command, with expected errors turned into a line on stderr and the exit status of their kind."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CommandError as error:
            raise _end(error, error.status) from error
        except NotFound as error:
            raise _end(error, ExitStatus.NOT_FOUND) from error
        except Unavailable as error:
            raise _end(error, ExitStatus.UNREACHABLE) from error
        except (ClusterError, LocalError) as error:
            raise _end(error, ExitStatus.FAILED) from error

    return run


def _end(error: Exception, status: ExitStatus) -> typer.Exit:
    print(f"error: {one_line(str(error))}", file=sys.stderr)
    return typer.Exit(int(status))
