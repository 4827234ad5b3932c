"""Agreeing that a step may be entered, and waiving what is left of an attempt's holds. Pure."""

from headgate.api.rollout import Approval, Step
from headgate.api.rollout_status import Attempt, AttemptState, Outcome
from headgate.cli.act.change import Change, attempt_in_flight, ended_as, is_over
from headgate.cli.course import Course, course_of, needs_approval
from headgate.cli.failures import CommandError
from headgate.cli.unheard import unheard_approval
from headgate.engine.annotations import APPROVE, BAKE, PROMOTE
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan


def approve(view: RolloutView, plan: Plan | None, named: str | None) -> Change:
    """Approves the step of that name, or the next one; writes nothing for one that was approved or entered.

    Raises CommandError where there is nothing to approve, or where another approval was not heard yet.
    """
    attempt, course = attempt_in_flight(view), course_of(view, plan)
    step, is_wanting = _step(view, attempt, course, named)

    def is_done(later: RolloutView) -> bool:
        known = later.status.attempt
        return is_over(later, attempt.number) or (
            known is not None and any(record.step == step.label for record in known.approvals)
        )

    what = f"step {step.label} of attempt {attempt.number} ({attempt.candidate.version})"
    if not is_wanting:
        return Change(says=f"{view.key}: {what} is approved", is_done=lambda _: True)
    other = unheard_approval(view, attempt, course)
    if other not in (None, step.label):
        raise CommandError(
            f"{view.key}: the operator has not heard the approval of step {other} yet, which this would erase;"
            " wait until it has, as --wait does"
        )
    return Change(
        says=f"{view.key}: approved {what}",
        is_done=is_done,
        annotation=(APPROVE, f"{attempt.number}/{step.label}"),
    )


def promote(view: RolloutView, plan: Plan | None) -> Change:
    """Waives holds, approvals and missing evidence up to 100 %; while baking, the rest of the bake.

    Writes nothing when that was waived, or when the attempt was promoted. Raises CommandError where nothing rises.
    """
    if (promoted := ended_as(view, Outcome.PROMOTED)) is not None:
        was = f"attempt {promoted.number} was promoted: {promoted.candidate.version} is stable"
        return Change(says=f"{view.key}: {was}", is_done=lambda _: True)
    attempt = attempt_in_flight(view)
    if view.orders.paused or attempt.paused is not None:
        by = f" by {attempt.paused.check}" if attempt.paused is not None else ""
        raise CommandError(f"{view.key}: paused{by}, so nothing rises; first: headgate resume {view.name}")
    baking = attempt.state is AttemptState.BAKING
    token = f"{attempt.number}/{BAKE}" if baking else str(attempt.number)
    bakes = not baking and course_of(view, plan).bake_for is not None
    rest = "the rest of the bake is waived" if baking else "it goes to 100 % without holds and approvals"
    then = f"; then it bakes, which another promote ends: headgate promote {view.name}" if bakes else ""
    return Change(
        says=f"{view.key}: promoted attempt {attempt.number} ({attempt.candidate.version}): {rest}{then}",
        is_done=lambda later: is_over(later, attempt.number) or _promoted(later) == token,
        annotation=(PROMOTE, token) if attempt.promoted != token else None,
    )


def _promoted(view: RolloutView) -> str | None:
    return view.status.attempt.promoted if view.status.attempt is not None else None


def _step(view: RolloutView, attempt: Attempt, course: Course, named: str | None) -> tuple[Step, bool]:
    """The step that is meant, and whether it still wants an approval."""
    ahead = [
        step
        for step in course.steps[course.index_of(attempt) + 1 :]
        if attempt.state is not AttemptState.BAKING and needs_approval(attempt, step)
    ]
    if named is None:
        following, current = course.following(attempt), course.current(attempt)
        if following is not None and following in ahead:
            return following, True
        if current is not None and current.approval is Approval.REQUIRED:
            return current, False
        hint = f"; approve a later one ahead with --step {ahead[0].label}" if ahead else ""
        raise CommandError(f"{view.key}: attempt {attempt.number} awaits no approval{hint}")
    step = next((each for each in course.steps if each.label == named), None)
    if step is None:
        known = ", ".join(each.label for each in course.steps)
        raise CommandError(f"{view.key}: there is no step {named}; the steps are {known}")
    if step.approval is not Approval.REQUIRED:
        raise CommandError(f"{view.key}: step {named} needs no approval")
    return step, step in ahead
