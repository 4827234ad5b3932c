"""The queries of a gate's checks: what is wrong with them, and their text for one subject. Asks nobody anything."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from headgate.api.quality_gate import BUILT_IN_PARAMETERS, Check, QualityGateSpec
from headgate.engine.evidence import Arm, Subject
from headgate.evidence.template import QueryError, Template, read_template


class Role(StrEnum):
    """What a query's answer is to its check; also the field that it is written in."""

    VALUE = "query"
    SAMPLES = "samplesQuery"
    BAD = "ratio.bad"
    TOTAL = "ratio.total"


def queries_of(check: Check) -> Mapping[Role, str]:
    """The queries that a check needs, as written."""
    if check.ratio is not None:
        return {Role.BAD: check.ratio.bad, Role.TOTAL: check.ratio.total}
    queries = {Role.VALUE: check.query or ""}
    if check.samples_query is not None:
        queries[Role.SAMPLES] = check.samples_query
    return queries


def problems(spec: QualityGateSpec) -> list[str]:
    """Why Rollouts cannot be judged by this gate: what, where and how to mend it, a line each; empty when they can."""
    known = {parameter.name for parameter in spec.parameters} | BUILT_IN_PARAMETERS
    found: list[str] = []
    for where, template in _templates(spec):
        found += [f"{where}: {fault}" for fault in template.faults]
        found += [
            f"{where}: $({name}) is not declared: add it to parameters, or use one of {', '.join(sorted(known))}"
            for name in sorted(template.names - known)
        ]
    return found


def advice(spec: QualityGateSpec) -> list[str]:
    """What is allowed and yet seldom meant, a line each."""
    return [
        f"checks[{check.name}].ratio.bad: a counter that never fired has no series, which is no data: "
        "write absentBad: Zero if it counts as none"
        for check in spec.checks
        if check.ratio is not None and check.absent_bad is None
    ]


def missing_args(spec: QualityGateSpec, args: Mapping[str, str]) -> list[str]:
    """The declared parameters that the queries use and the args leave out, in the gate's order."""
    used = {name for _, template in _templates(spec) for name in template.names}
    return [parameter.name for parameter in spec.parameters if parameter.name in used and parameter.name not in args]


def render(query: str, args: Mapping[str, str], subject: Subject) -> str:
    """The query's text for a subject.

    Raises:
        QueryError: the query has a fault, or a value is missing or cannot be written where it stands.
    """
    return read_template(query).render(values_for(args, subject))


def values_for(args: Mapping[str, str], subject: Subject) -> dict[str, str]:
    """The values of all parameters. The built-in ones win, so that an arg never passes for the version."""
    return {
        **args,
        "version": subject.version,
        "digest": subject.digest,
        "arm": subject.arm.value,
        "rollout": subject.rollout,
        "namespace": subject.namespace,
        "elapsed": f"{max(1, subject.elapsed)}s",
        "step": f"{max(1, subject.step)}s",
    }


def enforcement_problem(spec: QualityGateSpec, label: str, namespace: str) -> str | None:
    """Why an enforced label cannot be put into all queries of the gate, in one line; None when it can."""
    stand_ins = {name: "x" for _, template in _templates(spec) for name in template.names}
    subject = Subject(namespace, "x", Arm.CANDIDATE, "x", "x", elapsed=60, step=60)
    for where, template in _templates(spec):
        if template.faults:
            continue
        try:
            template.render(values_for(stand_ins, subject), (label, namespace))
        except QueryError as error:
            return f"{where}: {error}"
    return None


def _templates(spec: QualityGateSpec) -> Iterator[tuple[str, Template]]:
    for check in spec.checks:
        for role, query in queries_of(check).items():
            yield f"checks[{check.name}].{role.value}", read_template(query)
