"""Ties the life of this process to its parent's, then becomes another program. Run by path, knows nothing of headgate.

    python attach.py PARENT_PID PROGRAM ARGUMENT...

A little program of its own instead of a hook between fork and exec, which is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Exec the program; exit status 1 when the parent has gone already."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # It may have died before the line above, and nobody would be told of that.
    if os.getppid() != parent:
        sys.exit(1)
    # Python ignores it for itself, and the next program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(program, sys.argv[2:])  # noqa: S606 - no shell is wanted


main()
