"""`python -m tests.faults`: plays the whole matrix of faults, or a part of it, and tells what broke."""

import argparse
import itertools
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headgate.api.crds import documents
from headgate.local import gateway_api
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.delivery.openfeature_crd import CRD as FEATURE_FLAG_CRD
from tests.faults import matrix, report
from tests.faults.course import Course
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import Place, place
from tests.integration import service_account
from tests.integration.cluster import Server
from tests.integration.metrics import Application


def main() -> int:
    """Exit status 0 when no run broke a rule, 1 when one did."""
    arguments = _arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headgate-faults-", ignore_cleanup_errors=True) as passing:
        directory = (arguments.dir or Path(passing)).absolute()
        directory.mkdir(parents=True, exist_ok=True)
        with _place(directory) as here:
            _say(f"{len(SCENARIOS)} clean runs ...")
            scenarios = [each for each in SCENARIOS if arguments.scenario in each.name]
            clean = matrix.clean_runs(here, scenarios, at_once=arguments.at_once)
            chosen = [
                case
                for case in matrix.cases(clean, arguments.group or matrix.GROUPS)
                if arguments.fault in case.fault and arguments.where in case.where
            ]
            if arguments.slice:
                chosen = matrix.one_of_each_sort(chosen)
            results = _run(here, chosen, clean, arguments)
    _say(f"{len(results)} of {len(chosen)} cases in {(time.monotonic() - started) / 60:.0f} min")
    for group in sorted({result.case.group for result in results}):
        text = report.table([result for result in results if result.case.group == group])
        if arguments.report is not None:
            report.put_into(arguments.report, group, text)
        else:
            _say(f"\n{group}: {text}")
    _say(report.failures(results))
    return int(any(result.failed for result in results))


def _run(
    here: Place, chosen: list[matrix.Case], clean: dict[str, Course], arguments: argparse.Namespace
) -> list[matrix.Result]:
    """The results of those cases; what an earlier run has found out is not played again."""
    kept: Path | None = arguments.results
    known = report.read(kept, chosen) if kept is not None and kept.exists() else []
    count = itertools.count(len(known) + 1)
    todo = set(chosen) - {result.case for result in known}

    def tell(result: matrix.Result) -> None:
        case = result.case
        outcome = "BROKEN" if result.failed else "ok" if result.met else "never came by"
        _say(f"{next(count)}/{len(chosen)} {outcome}: {case.scenario}, {case.where}, {case.fault}")
        if result.failed:
            _say(report.failures([result]))
        if kept is not None:
            report.keep(result, kept)

    seconds = 60 * arguments.minutes
    left = [case for case in chosen if case in todo]
    return known + matrix.run(here, left, clean, at_once=arguments.at_once, seconds=seconds, tell=tell)


@contextmanager
def _place(directory: Path) -> Iterator[Place]:
    """An API server and a Prometheus of this program's own."""
    with ControlPlane(directory / "control-plane") as plane:
        plane.api.install_crds([*documents(), *gateway_api.documents(), FEATURE_FLAG_CRD])
        application, server = Application(), Server(plane)
        kubeconfig = service_account.install(server)
        server.close()
        targets = {"application": [application.address]}
        with (
            PrometheusServer(directory / "prometheus", targets, scrape_interval="250ms") as prometheus,
            place(plane, prometheus, application, kubeconfig, directory) as here,
        ):
            yield here
        application.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--group", action="append", choices=[*matrix.GROUPS], help="only this group; may be repeated")
    parser.add_argument("--scenario", default="", metavar="TEXT", help="only scenarios with this in their names")
    parser.add_argument("--fault", default="", metavar="TEXT", help="only faults with this in their names")
    parser.add_argument("--where", default="", metavar="TEXT", help="only requests with this in their names")
    parser.add_argument("--slice", action="store_true", help="each sort of request with each fault once")
    parser.add_argument("--at-once", type=int, default=8, metavar="N", help="so many runs at a time (8)")
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="N", help="begin no run later than that")
    parser.add_argument("--report", type=Path, metavar="FILE", help="put the tables between that document's markers")
    parser.add_argument("--results", type=Path, metavar="FILE", help="keep results there, and go on from those there")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="keep the logs there; else all goes at the end")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - its output is for people


sys.exit(main())
