"""What should be measured now: the checks of the gates in force, for the arms that they need."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from headgate.api.quality_gate import DEFAULT_WINDOW, Check, QualityGateSpec
from headgate.api.quantities import seconds
from headgate.api.rollout import GateReference
from headgate.engine.evidence import Arm, Question, Subject
from headgate.engine.turn import Turn


def due_gates(turn: Turn, references: list[GateReference], boundary: datetime | None) -> list[GateReference]:
    """The gates whose period is over, or that were not measured in this step since ``boundary``, the end of its hold.

    For the others the turn wakes when they become due.
    """
    due = []
    step = turn.flight.step
    here = {record.gate for record in turn.status.verdicts if step is not None and record.step == step.name}
    for reference in references:
        last = turn.memory.measured.get(reference.name)
        period = timedelta(seconds=seconds(turn.plan.period_of(reference.name)))
        # A measurement of the future was made before the clock was put back: it says nothing of when the next is due.
        if last is not None and last <= turn.now < last + period:
            over = boundary is not None and boundary <= turn.now
            if not over or (reference.name in here and boundary is not None and last >= boundary):
                turn.wake(last + period)
                continue
        due.append(reference)
    return due


def questions_for(turn: Turn, references: list[GateReference]) -> Iterator[Question]:
    """Every check of those gates: for the candidate, and for stable where a comparison needs it and stable serves."""
    stable_serves = turn.status.weight < 100
    for reference in references:
        spec = turn.plan.gate_specs[reference.name]
        for check in spec.checks:
            yield _question(turn, reference, check, Arm.CANDIDATE)
            if check.compares and stable_serves and turn.status.stable is not None:
                yield _question(turn, reference, check, Arm.STABLE)


def _question(turn: Turn, reference: GateReference, check: Check, arm: Arm) -> Question:
    view, attempt, stable = turn.observation.rollout, turn.flight, turn.status.stable
    spec = turn.plan.gate_specs[reference.name]
    version = stable if arm is Arm.STABLE and stable is not None else attempt.candidate
    delivered = attempt.step.delivered_at if attempt.step is not None else None
    return Question(
        gate=reference.name,
        check=check,
        source=spec.source,
        args=tuple(sorted(reference.args.items())),
        subject=Subject(
            namespace=view.namespace,
            rollout=view.name,
            arm=arm,
            version=version.version,
            digest=version.digest,
            elapsed=_window(turn.now, attempt.exposed_at or delivered, spec, check),
            step=_window(turn.now, attempt.baking_since or delivered, spec, check),
        ),
    )


def _window(now: datetime, since: datetime | None, spec: QualityGateSpec, check: Check) -> int:
    """Whole seconds since then: at least one period, at most the check's window."""
    passed = round((now - since).total_seconds()) if since is not None else 0
    period, longest = math.ceil(seconds(spec.period)), math.ceil(seconds(check.window or DEFAULT_WINDOW))
    return max(1, min(max(passed, period), longest))
