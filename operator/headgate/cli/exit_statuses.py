"""The exit statuses of every command, in one table that --help prints. Knows no command."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a script learns from a command's end."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    TIMED_OUT = 5


MEANINGS = {
    ExitStatus.OK: "done, or nothing was left to do",
    ExitStatus.FAILED: "refused or failed, in one line on stderr",
    ExitStatus.USAGE: "wrong arguments or configuration",
    ExitStatus.NOT_FOUND: "no such rollout, or a cluster without headgate's resources",
    ExitStatus.UNREACHABLE: "the API server cannot be reached",
    ExitStatus.TIMED_OUT: "written, but the operator was not done within --timeout",
}
"""Each status in a few words, as docs/commands.md has them too."""
