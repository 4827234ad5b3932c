"""The phase and the conditions, which people and kstatus read. Derived from what was decided, never read back."""

from dataclasses import dataclass
from datetime import timedelta

from headgate.api.conditions import Condition, ConditionStatus
from headgate.api.plain_text import plain
from headgate.api.rollout_status import Attempt, AttemptState, Outcome, Phase, RolloutStatus, VerdictKind
from headgate.engine.aftermath import HOOKS_KNOWN, unknown_hooks
from headgate.engine.pausing import BY_ALERT, paused_by
from headgate.engine.routers import claimed, undelivered
from headgate.engine.turn import Turn, named

DEBOUNCE = timedelta(seconds=30)
"""How long a gate must block before status says so; shorter spells are metrics."""


def presented(turn: Turn) -> RolloutStatus:
    """The status with its phase, conditions and the attempt's reason as they follow from this look."""
    if turn.in_flight and turn.flight.reason != turn.waits:
        turn.change_attempt(reason=turn.waits[:1024])
    phase = _phase(turn)
    conditions = [_condition(turn, finding) for finding in _findings(turn, phase)]
    generation = turn.observation.rollout.generation
    return turn.status.model_copy(update={"phase": phase, "conditions": conditions, "observed_generation": generation})


@dataclass(frozen=True, slots=True)
class _Finding:
    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def _phase(turn: Turn) -> Phase:
    attempt = turn.attempt
    match turn.state:
        case AttemptState.ROLLING_BACK:
            return Phase.ROLLING_BACK
        case AttemptState.ENDED:
            if turn.problem is not None and turn.problem.invalid:
                return Phase.INVALID
            if turn.killed:
                return Phase.KILLED
            return Phase.ROLLED_BACK if _is_taken_back(attempt) and not turn.let_go else Phase.IDLE
        case AttemptState.VERIFYING:
            return _stopped(turn) or Phase.VERIFYING
        case AttemptState.BAKING:
            return _stopped(turn) or Phase.BAKING
        case AttemptState.STEPPING:
            return _stopped(turn) or (Phase.SHADOWING if _shadows(turn) else Phase.PROGRESSING)


def _is_taken_back(attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.outcome is Outcome.ROLLED_BACK


def _stopped(turn: Turn) -> Phase | None:
    if turn.observation.rollout.orders.paused or turn.flight.paused is not None:
        return Phase.PAUSED
    if turn.awaiting is not None:
        return Phase.AWAITING_APPROVAL
    if turn.state is AttemptState.VERIFYING:
        return None
    if turn.memory.astray_since is not None and turn.state is AttemptState.STEPPING:
        return Phase.HOLDING
    if turn.problem is not None or (turn.blocked_since is not None and _lasts(turn)) or _is_held_low(turn):
        return Phase.HOLDING
    return None


def _lasts(turn: Turn) -> bool:
    if turn.blocked_since is None:
        return False
    turn.wake(turn.blocked_since + DEBOUNCE)
    return turn.now >= turn.blocked_since + DEBOUNCE


def _is_held_low(turn: Turn) -> bool:
    """Whether a foreign write keeps exposure lower than the step's; it was put right once and is now left alone."""
    states = turn.observation.routers
    lowered = {router for router, known in turn.memory.drift.items() if known.lowered}
    return any(not state.matches for router, state in states.items() if router in lowered)


def _shadows(turn: Turn) -> bool:
    attempt, plan = turn.flight, turn.manifest or turn.observation.plan
    return plan is not None and attempt.step is not None and plan.steps[attempt.step.index].shadow is not None


def _findings(turn: Turn, phase: Phase) -> list[_Finding]:
    late = undelivered(turn) if turn.status.stable is not None and not turn.transition else ""
    late = claimed(turn) or late
    busy = turn.state is not AttemptState.ENDED
    findings = [*_ready(turn, phase, late)]
    findings.append(_Finding("Reconciling", _truth(busy), phase.value, _progress(turn)))
    findings.append(_paused(turn, phase))
    if turn.status.stable is not None or late:
        findings.append(_Finding("Delivered", _truth(not late), "Undelivered" if late else "Delivered", late))
    findings.append(_evidence(turn))
    if (known := unknown_hooks(turn)) is not None:
        status, message = known
        reason = "HooksKnown" if status is ConditionStatus.TRUE else "HookUnknown"
        findings.append(_Finding(HOOKS_KNOWN, status, reason, message))
    return findings


def _ready(turn: Turn, phase: Phase, late: str) -> tuple[_Finding, _Finding]:
    """Ready and Stalled, as kstatus reads them."""
    attempt, problem, stable = turn.attempt, turn.problem, turn.status.stable
    ended = turn.state is AttemptState.ENDED
    serves = f"stable is {named(stable)}" if stable is not None else "there is no stable version"
    stalled = (problem.reason, problem.message) if problem is not None else None
    if stalled is None and ended and attempt is not None and _is_taken_back(attempt) and not turn.let_go:
        stalled = (
            "RolledBack",
            f"attempt {attempt.number} of {named(attempt.candidate)} was taken back: {attempt.reason}; {serves}",
        )
    if stalled is not None:
        ready = _Finding("Ready", ConditionStatus.FALSE, *stalled)
        return ready, _Finding("Stalled", ConditionStatus.TRUE, *stalled)
    idle = phase is Phase.IDLE and not late
    reason = "Undelivered" if late and phase is Phase.IDLE else phase.value
    ready = _Finding("Ready", _truth(idle), reason, serves if idle else late or _progress(turn) or serves)
    return ready, _Finding("Stalled", ConditionStatus.FALSE, "NotStalled")


def _paused(turn: Turn, phase: Phase) -> _Finding:
    asked = turn.flight.paused if phase is Phase.PAUSED and turn.in_flight else None
    words = [paused_by(turn, asked)] if asked is not None else []
    if turn.observation.rollout.orders.paused:
        words.insert(0, "spec.paused is set: weights do not rise")
        return _Finding("Paused", ConditionStatus.TRUE, "Spec", "; ".join(words))
    if asked is not None:
        reason = "Alert" if asked.check.startswith(BY_ALERT) else "Gate"
        return _Finding("Paused", ConditionStatus.TRUE, reason, *words)
    return _Finding("Paused", ConditionStatus.FALSE, "NotPaused")


def _truth(holds: bool) -> ConditionStatus:  # noqa: FBT001  # the one thing that it is about
    return ConditionStatus.TRUE if holds else ConditionStatus.FALSE


def _evidence(turn: Turn) -> _Finding:
    kinds = (VerdictKind.ERROR, VerdictKind.NO_DATA)
    step = turn.attempt.step.name if turn.attempt is not None and turn.attempt.step is not None else None
    verdicts = turn.status.verdicts if turn.in_flight else []
    failing = [record for record in verdicts if record.verdict in kinds and record.step == step]
    lasting = [record for record in failing if turn.now >= record.since + DEBOUNCE]
    for record in failing:
        turn.wake(record.since + DEBOUNCE)
    if lasting:
        first = lasting[0]
        words = f"{first.gate}/{first.check}: {first.message}"
        return _Finding("EvidenceAvailable", ConditionStatus.FALSE, first.verdict.value, words)
    return _Finding("EvidenceAvailable", ConditionStatus.TRUE, "Available")


def _progress(turn: Turn) -> str:
    attempt, plan = turn.attempt, turn.manifest or turn.observation.plan
    if attempt is None or turn.state is AttemptState.ENDED:
        return ""
    where = f"attempt {attempt.number} of {named(attempt.candidate)}"
    if turn.state is AttemptState.STEPPING and attempt.step is not None:
        of = f"/{len(plan.steps)}" if plan is not None else ""
        where = f"{where}, step {attempt.step.index + 1}{of} {attempt.step.name!r}"
    reason = turn.waits or (attempt.reason if turn.state is AttemptState.ROLLING_BACK else "")
    return f"{where}: {reason}" if reason else where


def _condition(turn: Turn, finding: _Finding) -> Condition:
    known = next((known for known in turn.status.conditions if known.type == finding.type), None)
    same = known is not None and known.status is finding.status
    condition = Condition.model_construct(
        type=finding.type,
        status=finding.status,
        reason=finding.reason,
        message=plain(finding.message[:2048]),
        last_transition_time=known.last_transition_time if same and known is not None else turn.now,
        observed_generation=turn.observation.rollout.generation,
    )
    # What is remembered between looks shares what did not change with what was committed.
    return known if known is not None and known == condition else condition
