"""Forks operators off one process that has imported everything: a start costs a tenth of what it costs otherwise.

Run by path, as ``python zygote.py``. Reads one JSON line for each operator, ``{"arguments": [...], "log": FILE}``, and
answers with its process id in a line. All end with this process, and this process with its input.
"""

import ctypes
import gc
import json
import os
import signal
import sys

import headgate.controller.operator
from headgate.cli.main import main

_PR_SET_PDEATHSIG = 1


def _become_the_operator(arguments: list[str], log: str, parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.argv = ["headgate", *arguments]
    main()


def serve() -> None:
    """Forks until the input ends."""
    assert headgate.controller.operator is not None  # what takes the time of a start
    # Nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is there now is never collected, so that its pages stay shared.
    gc.collect()
    gc.freeze()
    me = os.getpid()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _become_the_operator(order["arguments"], order["log"], me)
        print(child, flush=True)  # noqa: T201 - the answer


serve()
