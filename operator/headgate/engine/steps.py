"""How an attempt moves forward: entering a step, leaving it, the bake, promotion. Weights rise here alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headgate.api.quantities import seconds
from headgate.api.rollout import Approval, GateReference, Step
from headgate.api.rollout_status import ApprovalRecord, AttemptState, Outcome, StableRef, StepStatus
from headgate.engine.annotations import APPROVE, BAKE, PROMOTE, ask
from headgate.engine.ending import end, record_of
from headgate.engine.judging import has_passed, is_breached, resume, weigh
from headgate.engine.pausing import paused_by
from headgate.engine.routers import is_delivered, is_exposed, undelivered
from headgate.engine.turn import Turn, named

MANIFEST_RETRY = timedelta(minutes=1)
"""How often a manifest that is gone is looked for: somebody may put it back."""


def hear(turn: Turn) -> None:
    """Takes down what people asked for by annotation: approvals, a promotion, the end of a gate's pause."""
    resume(turn)
    _hear_approval(turn)
    _hear_promotion(turn)


def step_on(turn: Turn) -> None:
    """One look at an attempt in a step: judge, and enter the next step when this one may be left."""
    if not _has_manifest(turn):
        return
    step, started = _current(turn)
    _note_exposure(turn, step)
    _discount_absence(turn)
    began = _current(turn)[1].delivered_at
    stage = Stage(
        references=turn.plan.references_in(started.index),
        since=began,
        until=_end_of("0" if turn.flight.promoted else step.hold_for, began),
        waived=turn.flight.promoted is not None,
        entered=started.started_at,
    )
    if _may_leave(turn, stage):
        _move_on(turn, started.index + 1)


def bake(turn: Turn) -> None:
    """One look at an attempt at 100 %: still judged, still reverted, and stable only when the bake is over."""
    if not _has_manifest(turn):
        return
    since, waived = turn.flight.baking_since or turn.now, turn.flight.promoted == f"{turn.flight.number}/{BAKE}"
    stage = Stage(
        references=turn.plan.references_in(None),
        since=since,
        until=_end_of("0" if waived else turn.plan.bake_for, since),
        waived=waived,
        entered=since,
    )
    if _may_leave(turn, stage):
        promote(turn)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step, or the bake: who judges it, and how long it lasts at least."""

    references: list[GateReference]
    since: datetime | None
    """When the routers were observed at its weight; None while that is not confirmed."""
    until: datetime | None
    """When its hold is over, or waived."""
    waived: bool
    """Whether a person waived its hold and missing evidence."""
    entered: datetime


def _may_leave(turn: Turn, stage: Stage) -> bool:
    """Judges, and says whether the stage may be left now: delivered, held long enough, passed and not stopped."""
    if stage.since is not None or turn.flight.exposed_at is not None:
        weigh(turn, stage.references, stage.until, waived=stage.waived)
    if not turn.in_flight or turn.questions:
        return False
    if stage.since is None or stage.until is None or not is_delivered(turn):
        turn.waits = undelivered(turn) or "the routers have not confirmed the weight yet"
        _watch_deadline(turn, stage.entered)
        return False
    if turn.now < stage.until:
        turn.wake(stage.until)
        return False
    passed = has_passed(turn, stage.references, stage.until)
    if not passed and not (stage.waived and not is_breached(turn, stage.references)):
        _watch_deadline(turn, stage.until)
        return False
    turn.waits, turn.blocked_since = "", None
    return not _is_stopped(turn)


def _move_on(turn: Turn, index: int) -> None:
    plan = turn.plan
    if index < len(plan.steps):
        enter(turn, index)
    elif plan.bake_for and seconds(plan.bake_for) > 0:
        turn.change_attempt(state=AttemptState.BAKING, baking_since=turn.now)
        turn.transition = True
    else:
        promote(turn)


def _current(turn: Turn) -> tuple[Step, StepStatus]:
    started = turn.flight.step
    if started is None:
        raise AssertionError("an attempt in a step has a step")
    return turn.plan.steps[started.index], started


def _has_manifest(turn: Turn) -> bool:
    if turn.observation.plan is not None:
        return True
    name = turn.flight.manifest
    turn.stall("ManifestGone", f"ConfigMap {name!r} with what was frozen for this attempt is gone; abort the attempt")
    turn.waits = "its manifest is gone"
    turn.wake(turn.now + MANIFEST_RETRY)
    return False


def enter(turn: Turn, index: int) -> None:
    """Enters a step, unless it still needs somebody's approval."""
    step, attempt = turn.plan.steps[index], turn.flight
    if step.approval is Approval.REQUIRED and not _is_approved(turn, step):
        turn.awaiting = step.label
        turn.waits = f"approval of step {step.label!r}"
        return
    first = attempt.step is None
    turn.change_attempt(
        state=AttemptState.STEPPING,
        step=StepStatus.model_construct(index=index, name=step.label, started_at=turn.now, delivered_at=None),
        reason="",
    )
    turn.change(weight=step.exposure)
    turn.remember(astray_since=None)
    where = f"step {index + 1}/{len(turn.plan.steps)} {step.label!r}, {_exposure(step)}"
    turn.happened(
        "AttemptStarted" if first else "StepEntered",
        f"attempt {attempt.number} of {named(attempt.candidate)}: {where}",
    )


def promote(turn: Turn) -> None:
    """The candidate becomes stable. With an httpRoute the backends swap roles, so no traffic moves."""
    attempt, stable = turn.flight, turn.status.stable
    swaps = any(delivery.http_route is not None for delivery in turn.plan.delivery)
    slot = stable.slot if stable is not None else 0
    turn.change(
        stable=StableRef.model_construct(
            version=attempt.candidate.version,
            digest=attempt.candidate.digest,
            slot=1 - slot if swaps else slot,
            target=stable.target if stable is not None else None,
        ),
        weight=0,
    )
    turn.change_attempt(outcome=Outcome.PROMOTED, reason="every step and gate was passed")
    end(turn)
    turn.record = record_of(turn)


def _note_exposure(turn: Turn, step: Step) -> None:
    """Notes when every router was first observed at the step's weight, and when any first exposed the candidate."""
    at = turn.flight.step
    delivered = is_delivered(turn)
    if at is not None and at.delivered_at is None and delivered:
        turn.change_attempt(step=at.model_copy(update={"delivered_at": turn.now}))
    if turn.flight.exposed_at is None and step.is_judged and (delivered or is_exposed(turn)):
        turn.change_attempt(exposed_at=turn.now)


def _discount_absence(turn: Turn) -> None:
    """Puts the hold off by the time in which routers that had shown the step's weight showed something else."""
    at, since = turn.flight.step, turn.memory.astray_since
    if at is None or at.delivered_at is None:
        return
    if not is_delivered(turn):
        turn.remember(astray_since=since or turn.now)
    elif since is not None:
        turn.remember(astray_since=None)
        absence = max(turn.now - since, timedelta())
        turn.change_attempt(step=at.model_copy(update={"delivered_at": at.delivered_at + absence}))


def _end_of(hold: str | None, began: datetime | None) -> datetime | None:
    return None if began is None else began + timedelta(seconds=seconds(hold) if hold else 0.0)


def _is_stopped(turn: Turn) -> bool:
    """Whether somebody or a gate stopped rises."""
    if turn.observation.rollout.orders.paused:
        turn.waits = "spec.paused is set"
    elif turn.flight.paused is not None:
        turn.waits = paused_by(turn, turn.flight.paused)
    elif turn.problem is not None:
        turn.waits = turn.problem.message
    elif turn.pending:
        turn.waits = "the version that the spec names is not there yet"
    return bool(turn.waits)


def _is_approved(turn: Turn, step: Step) -> bool:
    return turn.flight.promoted is not None or any(known.step == step.label for known in turn.flight.approvals)


def _watch_deadline(turn: Turn, since: datetime) -> None:
    """Says Stalled when a step lasts longer beyond its hold than the deadline allows; it reverts nothing."""
    if turn.plan.progress_deadline is None:
        return
    deadline = since + timedelta(seconds=seconds(turn.plan.progress_deadline))
    if turn.now < deadline:
        turn.wake(deadline)
    else:
        message = f"no progress for {turn.plan.progress_deadline}: {turn.waits}"
        turn.stall("ProgressDeadlineExceeded", message, invalid=False)


def _hear_approval(turn: Turn) -> None:
    attempt, asked = turn.flight, ask(turn.observation.rollout.annotations, APPROVE)
    if asked is None or asked.attempt != attempt.number or asked.step is None:
        return
    plan = turn.manifest or turn.observation.plan
    spec = turn.observation.rollout.spec
    steps = plan.steps if plan is not None else spec.steps if spec is not None else []
    if asked.step not in {step.label for step in steps} or any(known.step == asked.step for known in attempt.approvals):
        return
    approval = ApprovalRecord.model_construct(step=asked.step, at=turn.now)
    turn.change_attempt(approvals=[*attempt.approvals, approval])
    turn.happened("Approved", f"attempt {attempt.number}: step {asked.step!r} was approved")


def _hear_promotion(turn: Turn) -> None:
    attempt, asked = turn.flight, ask(turn.observation.rollout.annotations, PROMOTE)
    if asked is None or asked.attempt != attempt.number:
        return
    baking = attempt.state is AttemptState.BAKING
    if baking and (asked.step == BAKE or (asked.step is None and attempt.promoted is None)):
        token = f"{attempt.number}/{BAKE}"
    elif not baking and asked.step is None:
        token = str(attempt.number)
    else:
        return
    if attempt.promoted in (token, f"{attempt.number}/{BAKE}"):
        return
    turn.change_attempt(promoted=token)
    waived = "the rest of the bake" if baking else "holds, approvals and missing evidence up to 100 %"
    turn.happened("PromoteRequested", f"attempt {attempt.number}: a person waived {waived}")


def _exposure(step: Step) -> str:
    if step.shadow is not None:
        return f"{step.shadow_share} % of requests copied, nobody exposed"
    return f"{step.exposure} %"
