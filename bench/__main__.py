"""`python -m bench [NAME...]`: runs the benchmarks one after the other, and shows what they measured."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import load, machine, report
from bench.cluster import RefusedError
from bench.figures import Figure
from bench.hand_over import hand_over
from bench.requests_made import requests_made
from bench.reverts import reverts, reverts_by_real_prometheus
from bench.start import start
from headgate.local.errors import LocalError

_Benchmark = Callable[[Path, Path | None], Coroutine[object, object, list[Figure]]]

_USUAL: Mapping[str, _Benchmark] = {
    "reverts": reverts,
    "reverts-real": reverts_by_real_prometheus,
    "requests": requests_made,
    "load-100": partial(load.under_load, load.LOAD_100),
    "load-100-real": partial(load.under_load, load.LOAD_100_REAL),
    "load-500": partial(load.under_load, load.LOAD_500),
    "start-1000": start,
    "hand-over": hand_over,
}
_LONG: Mapping[str, _Benchmark] = {"load-10000": partial(load.under_load, load.LOAD_10_000)}


def main() -> int:
    """Exit status 0 when all budgets were kept, 1 when one was not, 2 when a benchmark could not be run."""
    arguments = _arguments()
    console, progress = Console(width=None if sys.stdout.isatty() else 180), Console(stderr=True)
    chosen = arguments.names or [*_USUAL, *(_LONG if arguments.long else ())]
    found, here, failed = list[Figure](), machine.describe(), False
    for name in chosen:
        progress.print(f"{name} ...", style="dim")
        try:
            found += _run(name, arguments.dir, arguments.profile)
        except (LocalError, RefusedError, TimeoutError, OSError) as error:
            failed = True
            progress.print(f"{name}: {error}", style="bold red")
    report.show(console, here, found)
    if arguments.json is not None:
        report.write(arguments.json, here, found)
    return 2 if failed else int(any(figure.is_within is False for figure in found))


def _run(name: str, kept: Path | None, profile: Path | None) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="headgate-bench-", ignore_cleanup_errors=True) as passing:
        directory = (kept / name).absolute() if kept is not None else Path(passing)
        # An API server would go on with what an earlier run left there.
        directory.mkdir(parents=True, exist_ok=kept is None)
        to = profile.absolute() / f"{name}.prof" if profile is not None else None
        return asyncio.run({**_USUAL, **_LONG}[name](directory, to))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure headgate against its budgets.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[*_USUAL, *_LONG, []], help=", ".join({**_USUAL, **_LONG})
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="keep the logs there; else all goes at the end")
    parser.add_argument("--long", action="store_true", help=f"also {', '.join(_LONG)}: a quarter of an hour")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="profile the operator, which slows it; for pstats")
    return parser.parse_args()


sys.exit(main())
