"""What people asked for by an annotation that the operator has not acted upon yet, as its status shows. Pure.

An annotation has room for one wish: a second of its kind would erase the first unheard.
"""

from headgate.api.rollout_status import Attempt, AttemptState, Outcome, Rejection
from headgate.cli.course import Course
from headgate.engine.annotations import APPROVE, RETRY, ask
from headgate.engine.observation import RolloutView


def unheard_retry(view: RolloutView) -> Rejection | None:
    """The rejection that is to be lifted, and stands still."""
    asked = ask(view.annotations, RETRY)
    if asked is None:
        return None
    meant = (each for each in view.status.rejected if each.attempt == asked.attempt)
    return next((each for each in meant if each.ignored_retry != asked.written), None)


def withdrawal(rejection: Rejection) -> str:
    """What it means that such a retry is removed.

    The write is under the resourceVersion that was read: had the operator heard the retry meanwhile, it is refused.
    """
    return (
        f"withdrew the retry of attempt {rejection.attempt} before the operator heard it:"
        f" {rejection.version} stays rejected"
    )


def unheard_approval(view: RolloutView, attempt: Attempt, course: Course) -> str | None:
    """The name of the step of this attempt that is to be approved, and is not."""
    asked = ask(view.annotations, APPROVE)
    if asked is None or asked.attempt != attempt.number or asked.step not in {step.label for step in course.steps}:
        return None
    return None if any(record.step == asked.step for record in attempt.approvals) else asked.step


def is_retried(view: RolloutView) -> bool:
    """Whether the last attempt's rejection was lifted on a person's word, and no attempt has begun since."""
    attempt, asked = view.status.attempt, ask(view.annotations, RETRY)
    if attempt is None or asked is None or asked.attempt != attempt.number:
        return False
    if attempt.state is not AttemptState.ENDED or attempt.outcome is not Outcome.ROLLED_BACK:
        return False
    prompt = view.spec.prompt if view.spec is not None else None
    asks = prompt is not None and prompt.version == attempt.candidate.version
    return asks and all(each.attempt != asked.attempt for each in view.status.rejected)
