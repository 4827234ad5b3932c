"""What can be said of a gate's queries and bounds without asking Prometheus."""

import re
from collections.abc import Iterator

from headgate.api.quality_gate import Check, QualityGateSpec, Threshold
from headgate.api.quantities import bound_value, seconds
from headgate.cli.lint.finding import Finding
from headgate.cli.lint.resource import Resource
from headgate.evidence.queries import problems, queries_of

_PLACE = re.compile(r"^checks\[([^\]]+)\]\.([a-zA-Z.]+): (.*)$", re.DOTALL)


def gate_findings(gate: Resource[QualityGateSpec]) -> Iterator[Finding]:
    """Errors of the queries, and warnings about what is allowed and seldom meant."""
    for problem in problems(gate.spec):
        yield _query_problem(gate, problem)
    yield from _unused_parameters(gate)
    for index, check in enumerate(gate.spec.checks):
        yield from _check_advice(gate, ("spec", "checks", index), check)


def _query_problem(gate: Resource[QualityGateSpec], problem: str) -> Finding:
    found = _PLACE.match(problem)
    if found is None:
        return gate.error(("spec", "checks"), problem, "", "correct the query")
    names = [check.name for check in gate.spec.checks]
    path = ("spec", "checks", names.index(found[1]), *found[2].split("."))
    what, _, fix = found[3].rpartition(": ")
    if not what:
        what, fix = fix, "correct the query"
    what, _, why = what.partition(": ")
    return gate.error(path, f"check {found[1]}: {found[2]}: {what}", why, fix)


def _unused_parameters(gate: Resource[QualityGateSpec]) -> Iterator[Finding]:
    queries = [query for check in gate.spec.checks for query in queries_of(check).values()]
    for index, parameter in enumerate(gate.spec.parameters):
        if not any(f"$({parameter.name})" in query for query in queries):
            what = f"no query uses $({parameter.name})"
            yield gate.warning(("spec", "parameters", index), what, "every Rollout may give it", "remove the parameter")


def _check_advice(gate: Resource[QualityGateSpec], path: tuple[str | int, ...], check: Check) -> Iterator[Finding]:
    if check.ratio is not None and check.absent_bad is None:
        what = f"check {check.name}: ratio without absentBad"
        why = "a counter that never fired has no series, which is NoData and holds the step"
        yield gate.warning((*path, "ratio"), what, why, "add absentBad: Zero if it counts as none")
    if check.ratio is not None and check.min_samples is None:
        what = f"check {check.name}: ratio without minSamples"
        yield gate.warning((*path, "ratio"), what, "one bad request of two is 50 %", "add minSamples, such as 50")
    if check.window is not None and seconds(check.window) < seconds(gate.spec.period):
        what = f"check {check.name}: window {check.window} is shorter than the period {gate.spec.period}"
        fix = "lengthen the window or shorten the period"
        yield gate.warning((*path, "window"), what, "what happens between two looks is never seen", fix)
    if check.warning is not None and check.critical is not None:
        yield from _never_warns(gate, path, check.name, check.warning, check.critical)


def _never_warns(
    gate: Resource[QualityGateSpec], path: tuple[str | int, ...], name: str, warning: Threshold, critical: Threshold
) -> Iterator[Finding]:
    for field, sign, outer, inner in (
        ("above", 1, warning.above, critical.above),
        ("below", -1, warning.below, critical.below),
        ("aboveStableBy", 1, warning.above_stable_by, critical.above_stable_by),
        ("belowStableBy", 1, warning.below_stable_by, critical.below_stable_by),
    ):
        if outer is None or inner is None:
            continue
        first, last = bound_value(outer), bound_value(inner)
        if first.unit is last.unit and sign * first.number > sign * last.number:
            what = f"check {name}: warning.{field} {outer} lies beyond critical.{field} {inner}"
            yield gate.warning((*path, "warning", field), what, "critical acts before it", "swap the two")
