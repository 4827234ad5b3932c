"""What a Rollout waits for, and what a person can do about it, in a sentence each. Pure; time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headgate.api.conditions import Condition, ConditionStatus
from headgate.api.quantities import seconds
from headgate.api.rollout import KillSwitch, RolloutSpec
from headgate.api.rollout_status import Attempt, AttemptState, Outcome, Phase
from headgate.api.target import TargetSubject
from headgate.cli.course import Course, course_of, is_in_flight, needs_approval
from headgate.cli.spans import span
from headgate.engine.annotations import BAKE
from headgate.engine.desired import is_legacy
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan

_NEXT_LOOK = "the operator's next look"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is waited for, and what to do about it; each empty when there is nothing."""

    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class _Stage:
    """A step or the bake, since when it counts, and how long it lasts at least."""

    name: str
    began: datetime | None
    hold: str | None


def waiting_for(view: RolloutView, now: datetime, plan: Plan | None = None) -> str:
    """What the Rollout waits for, such as ``approval of step 50``; empty when it waits for nobody."""
    return waiting(view, now, plan).what


def waiting(view: RolloutView, now: datetime, plan: Plan | None = None) -> Waiting:
    """The same, with what a person can do. ``plan`` is what was frozen for the attempt, where it is known."""
    status, spec, attempt = view.status, view.spec, view.status.attempt
    if spec is None:
        return Waiting(f"a spec that can be read: {view.spec_error}", "correct the Rollout and apply it again")
    if attempt is not None and attempt.state is AttemptState.ROLLING_BACK:
        return _rolling_back(view, attempt)
    if status.phase is None:
        return Waiting("the operator to see it", "check that headgate runs and may watch this namespace")
    if spec.kill_switch is not KillSwitch.OFF:
        return _killed(view, spec)
    if attempt is not None and is_in_flight(attempt):
        return _in_flight(view, attempt, course_of(view, plan), now)
    return _at_rest(view)


def _killed(view: RolloutView, spec: RolloutSpec) -> Waiting:
    status, path = view.status, "legacy" if is_legacy(spec, spec.kill_switch) else "stable"
    if status.observed_generation is None or status.observed_generation < view.generation:
        return Waiting(f"the operator to see generation {view.generation}, and to put everybody on {path}")
    if is_undelivered(view):
        undelivered = condition(view, "Delivered")
        return Waiting(f"every router to show {path}: {undelivered.message if undelivered is not None else ''}")
    return Waiting(f"the kill switch to be turned off: everybody is on {path}", f"headgate kill {view.name} --to Off")


def _rolling_back(view: RolloutView, attempt: Attempt) -> Waiting:
    undelivered = condition(view, "Delivered")
    if undelivered is not None and is_undelivered(view):
        return Waiting(f"every router to be at 0: {undelivered.message or undelivered.reason}")
    rejecting = attempt.outcome is Outcome.ROLLED_BACK
    stalled = condition(view, "Stalled")
    if stalled is not None and stalled.status is ConditionStatus.TRUE:
        return Waiting(f"what was good to be put back: {stalled.message or stalled.reason}")
    prompt = view.spec.prompt if view.spec is not None else None
    if rejecting and prompt is not None and prompt.version == attempt.candidate.version:
        return Waiting("every router to be at 0 and the spec to be restored")
    return Waiting("every router to be at 0")


def _in_flight(view: RolloutView, attempt: Attempt, course: Course, now: datetime) -> Waiting:
    resume = f"headgate resume {view.name}"
    if attempt.paused is not None:
        because = f": {attempt.paused.reason}" if attempt.paused.reason else ""
        return Waiting(f"a resume: {attempt.paused.check} paused the attempt{because}", resume)
    if view.orders.paused:
        return Waiting("spec.paused to be cleared; judging and reverting go on", resume)
    # The operator's own word for it comes before a reckoning with this machine's clock.
    if view.status.phase is Phase.AWAITING_APPROVAL and (approval := _approval(view, attempt, course)):
        return approval
    match attempt.state:
        case AttemptState.VERIFYING:
            return Waiting(attempt.reason or "every gate to be Ready and every router to be at 0")
        case AttemptState.BAKING:
            waived = attempt.promoted == f"{attempt.number}/{BAKE}"
            stage = _Stage("the bake", attempt.baking_since, None if waived else course.bake_for)
            return _judged(view, course, stage, now) or Waiting(attempt.reason or _NEXT_LOOK)
        case AttemptState.STEPPING:
            return _stepping(view, attempt, course, now)
        case AttemptState.ROLLING_BACK | AttemptState.ENDED:
            return Waiting("")


def _stepping(view: RolloutView, attempt: Attempt, course: Course, now: datetime) -> Waiting:
    step, current = attempt.step, course.current(attempt)
    if step is None:
        return Waiting(_NEXT_LOOK)
    delivered = condition(view, "Delivered")
    if step.delivered_at is None and (delivered is None or delivered.status is not ConditionStatus.TRUE):
        because = f": {delivered.message}" if delivered is not None and delivered.message else ""
        return Waiting(f"every router to show step {step.name} ({view.status.weight} %){because}")
    hold = None if current is None or attempt.promoted else current.hold_for
    # When the step was delivered is written with the next transition; it was soon after the step began.
    stage = _Stage(f"step {step.name}", step.delivered_at or step.started_at, hold)
    return _judged(view, course, stage, now) or _approval(view, attempt, course) or Waiting("the operator's next look")


def _judged(view: RolloutView, course: Course, stage: _Stage, now: datetime) -> Waiting | None:
    """The rest of the hold and what the gates lack; None when neither is in the way."""
    obstacle = _obstacle(view, course)
    if stage.began is not None and stage.hold:
        rest = (stage.began + timedelta(seconds=seconds(stage.hold)) - now).total_seconds()
        if rest > 0:
            also = f"; then {obstacle}" if obstacle else ""
            return Waiting(f"the hold of {stage.name}, {span(max(rest, 1.0))} more{also}")
    if obstacle:
        return Waiting(f"the gates of {stage.name}: {obstacle}")
    return None


def _obstacle(view: RolloutView, course: Course) -> str:
    attempt, records = view.status.attempt, view.status.verdicts
    judging = course.gates_judging(attempt) if attempt is not None else ()
    for record in records:
        if record.gate in judging and course.blocks(record):
            detail = " ".join(part for part in (record.verdict.value, record.value or "", record.message) if part)
            return f"{record.gate}/{record.check} is {detail}"
    # A verdict that stays the same is not written again, so its age in status says nothing.
    unmeasured = next((gate for gate in judging if all(record.gate != gate for record in records)), None)
    return f"{unmeasured} to be measured" if unmeasured is not None else ""


def _approval(view: RolloutView, attempt: Attempt, course: Course) -> Waiting | None:
    following = course.following(attempt)
    if following is None or not needs_approval(attempt, following):
        return None
    return Waiting(f"approval of step {following.label}", f"headgate approve {view.name}")


def _at_rest(view: RolloutView) -> Waiting:
    status, spec = view.status, view.spec
    if status.observed_generation is not None and status.observed_generation < view.generation:
        return Waiting(f"the operator to see generation {view.generation}")
    if spec is not None and spec.target is not None:
        return _target_at_rest(view, spec.target)
    wanted, attempt = spec.prompt.version if spec is not None and spec.prompt is not None else "", status.attempt
    is_stable = status.stable is not None and status.stable.version == wanted
    rejection = next((each for each in status.rejected if each.version == wanted and not is_stable), None)
    if rejection is None and attempt is not None and attempt.outcome is Outcome.ROLLED_BACK and is_stable:
        rejection = next((each for each in status.rejected if each.attempt == attempt.number), None)
    if rejection is not None:
        return Waiting(
            f"another version: {rejection.version} was rejected in attempt {rejection.attempt}: {rejection.reason}",
            f"name another version in spec.prompt.version, or headgate retry {view.name} --attempt {rejection.attempt}",
        )
    ready, stalled = condition(view, "Ready"), condition(view, "Stalled")
    if stalled is not None and stalled.status is ConditionStatus.TRUE and stalled.reason != Outcome.ROLLED_BACK.value:
        return Waiting(stalled.message or stalled.reason)
    if not is_stable:
        why = ready.message if ready is not None and ready.status is not ConditionStatus.TRUE else ""
        return Waiting(why or f"the operator to begin an attempt of {wanted}")
    return Waiting("")


def _target_at_rest(view: RolloutView, target: TargetSubject) -> Waiting:
    """What the target holds is not known from the Rollout alone: its conditions say what stands in the way."""
    ready, stalled, attempt = condition(view, "Ready"), condition(view, "Stalled"), view.status.attempt
    if stalled is not None and stalled.status is ConditionStatus.TRUE and stalled.reason != Outcome.ROLLED_BACK.value:
        return Waiting(stalled.message or stalled.reason)
    if attempt is not None and attempt.outcome is Outcome.ROLLED_BACK:
        return Waiting(
            f"another edit: {attempt.candidate.version} was rejected in attempt {attempt.number}: {attempt.reason}",
            f"edit {target.kind} {target.name} again, or headgate retry {view.name} --attempt {attempt.number} first",
        )
    if view.status.stable is None:
        return Waiting((ready.message if ready is not None else "") or f"{target.kind} {target.name} to be seen")
    return Waiting("")


def is_undelivered(view: RolloutView) -> bool:
    """Whether a router is known to show something else than it must."""
    delivered = condition(view, "Delivered")
    return delivered is not None and delivered.status is ConditionStatus.FALSE


def condition(view: RolloutView, kind: str) -> Condition | None:
    """The condition of that type, such as ``Ready``; None when it is not there."""
    return next((each for each in view.status.conditions if each.type == kind), None)
