"""Runs `headgate` under Python's profiler: `python -m bench.profiled FILE run ...`."""

import cProfile
import sys
import time
from pathlib import Path

from headgate.cli.main import main


def _profile(file: Path) -> None:
    # Waiting for the next event is no cost; with the wall clock it would be nearly all that is seen.
    profiler = cProfile.Profile(time.process_time)
    sys.argv = ["headgate", *sys.argv[2:]]
    try:
        profiler.runcall(main)
    finally:
        profiler.dump_stats(file)


if __name__ == "__main__":
    _profile(Path(sys.argv[1]))
