"""The steps that an attempt goes through: what was frozen for it, or the spec's while that is not known."""

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.api.rollout import Approval, GateReference, Step
from headgate.api.rollout_status import Attempt, AttemptState, VerdictKind, VerdictRecord
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan
from headgate.engine.verdicts import passes

_BLOCKING = frozenset(
    {VerdictKind.FAIL, VerdictKind.BREACHING, VerdictKind.UNDECIDED, VerdictKind.NO_DATA, VerdictKind.ERROR}
)


@dataclass(frozen=True, slots=True)
class Course:
    """Steps, gates and the bake of an attempt."""

    steps: Sequence[Step]
    gates: Sequence[GateReference]
    bake_for: str | None
    plan: Plan | None = None

    def index_of(self, attempt: Attempt) -> int:
        """The step that the attempt is in, counted from 0; -1 before the first."""
        return -1 if attempt.step is None else attempt.step.index

    def current(self, attempt: Attempt) -> Step | None:
        """The step that the attempt is in; None before the first, or where the steps are not known."""
        index = self.index_of(attempt)
        return self.steps[index] if 0 <= index < len(self.steps) else None

    def following(self, attempt: Attempt) -> Step | None:
        """The step that would be entered next."""
        index = self.index_of(attempt) + 1
        return self.steps[index] if index < len(self.steps) else None

    def gates_judging(self, attempt: Attempt) -> tuple[str, ...]:
        """The names of the gates that judge the attempt where it is now."""
        if attempt.state is AttemptState.BAKING:
            return tuple(reference.name for reference in self.gates)
        step = self.current(attempt)
        if step is None:
            return ()
        return tuple(reference.name for reference in (*(self.gates if step.is_judged else ()), *step.gates))

    def blocks(self, record: VerdictRecord) -> bool:
        """Whether a step may not be left with this verdict."""
        if self.plan is not None and (gate := self.plan.gate_specs.get(record.gate)) is not None:
            check = next((each for each in gate.checks if each.name == record.check), None)
            if check is not None:
                return not passes(check, record)
        return record.verdict in _BLOCKING


def course_of(view: RolloutView, plan: Plan | None = None) -> Course:
    """The course of the attempt in flight, or what the spec says of the next one."""
    if plan is not None and view.status.attempt is not None and plan.attempt == view.status.attempt.number:
        return Course(plan.steps, plan.gates, plan.bake_for, plan)
    if view.spec is None:
        return Course((), (), None)
    return Course(view.spec.steps, view.spec.gates, view.spec.bake_for)


def is_in_flight(attempt: Attempt | None) -> bool:
    """Whether an attempt goes on, or is on its way back."""
    return attempt is not None and attempt.state is not AttemptState.ENDED


def needs_approval(attempt: Attempt, step: Step) -> bool:
    """Whether a person must still agree before the step is entered."""
    return (
        step.approval is Approval.REQUIRED
        and attempt.promoted is None
        and all(record.step != step.label for record in attempt.approvals)
    )
