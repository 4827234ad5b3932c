"""Ending an attempt, and trying a rejected version again. Pure."""

from collections.abc import Callable, Iterable

from headgate.api.rollout import KillSwitch, PromptSubject
from headgate.api.rollout_status import AttemptState, HistoryEntry, Outcome, Rejection
from headgate.cli.act.change import Change, attempt_in_flight, ended_as, is_over
from headgate.cli.course import is_in_flight
from headgate.cli.failures import CommandError
from headgate.cli.in_the_way import asked_again
from headgate.cli.unheard import is_retried, unheard_retry, withdrawal
from headgate.cluster.objects import Json
from headgate.engine.annotations import ABORT, RETRY, ask
from headgate.engine.observation import RolloutView


def abort(view: RolloutView) -> Change:
    """Takes the attempt in flight back; writes nothing when it is being taken back, or was.

    A retry that the operator has not heard is withdrawn: its attempt would begin afterwards.
    Raises CommandError when there is none, or when its end rejects nothing.
    """
    if not is_in_flight(view.status.attempt) and (rejection := unheard_retry(view)) is not None:
        return _withdrawn(view, rejection)
    if is_retried(view):
        raise CommandError(
            f"{view.key}: no attempt is in flight; the rejection of the last is lifted, so that another may begin:"
            f" name another version in spec.prompt.version, or headgate kill {view.name}"
        )
    if (fulfilled := _taken_back(view)) is not None:
        return fulfilled
    attempt = attempt_in_flight(view)
    stable = view.status.stable.version if view.status.stable is not None else "stable"
    return Change(
        says=(
            f"{view.key}: aborted attempt {attempt.number}: everybody goes back to {stable}, the spec too;"
            f" {attempt.candidate.version} is rejected until: headgate retry {view.name}"
        ),
        is_done=lambda later: is_over(later, attempt.number),
        annotation=(ABORT, str(attempt.number)),
    )


def _withdrawn(view: RolloutView, rejection: Rejection) -> Change:
    prompt = view.spec.prompt if view.spec is not None else None
    names = prompt is not None and prompt.version == rejection.version
    still = ", though spec.prompt.version names it" if names else ""
    return Change(
        says=f"{view.key}: {withdrawal(rejection)} and is shown to nobody{still}",
        is_done=lambda _: True,
        annotation=(RETRY, None),
    )


def _taken_back(view: RolloutView) -> Change | None:
    attempt = view.status.attempt
    if attempt is None or attempt.outcome is not Outcome.ROLLED_BACK:
        return None
    on_its_way = attempt.state is AttemptState.ROLLING_BACK
    if not on_its_way and ended_as(view, Outcome.ROLLED_BACK) is None:
        return None
    how = "is on its way back" if on_its_way else "was taken back"
    return Change(
        says=f"{view.key}: attempt {attempt.number} of {attempt.candidate.version} {how}: {attempt.reason}",
        is_done=lambda later: is_over(later, attempt.number),
    )


def retry(view: RolloutView, number: int | None, family_of: Callable[[str], str | None] = lambda _: None) -> Change:
    """Lifts the rejection of that attempt, and asks for the version again, by its family, in the same write.

    What is asked for under another name stays asked for so: the old name may be gone.
    ``family_of`` tells the family of a version; where it does not, the spec's stays. Without a number it is the
    rejection of what the spec asks for, else the last. Raises CommandError when nothing is rejected, or when an attempt
    in flight, the kill switch or another retry that was not heard yet is in the way.
    """
    if (lifted := _lifted(view, number)) is not None:
        return Change(
            says=f"{view.key}: the rejection of {lifted.version} (attempt {lifted.number}) is lifted",
            is_done=lambda _: True,
        )
    rejection = _rejection(view, number)
    attempt, spec = view.status.attempt, view.spec
    if attempt is not None and is_in_flight(attempt):
        raise CommandError(
            f"{view.key}: attempt {attempt.number} of {attempt.candidate.version} is in flight;"
            f" wait for its end, or first: headgate abort {view.name}"
        )
    if spec is None:
        raise CommandError(f"{view.key}: the spec cannot be read: {view.spec_error}")
    if spec.kill_switch is not KillSwitch.OFF:
        raise CommandError(f"{view.key}: the kill switch is on; first: headgate kill {view.name} --to Off")
    if (other := unheard_retry(view)) is not None and other.attempt != rejection.attempt:
        raise CommandError(
            f"{view.key}: the operator has not heard the retry of attempt {other.attempt} yet, which this would erase;"
            f" wait until it has, or first: headgate abort {view.name}"
        )
    before = attempt.number if attempt is not None else 0
    if spec.prompt is None:
        return _lift_alone(view, rejection)
    patch, moved = (
        ({}, "") if asked_again(view) == rejection else _asking_again(spec.prompt, rejection.version, family_of)
    )
    return Change(
        says=f"{view.key}: lifted the rejection of {rejection.version} (attempt {rejection.attempt}){moved}",
        is_done=lambda later: later.status.attempt is not None and later.status.attempt.number > before,
        annotation=(RETRY, _wish(rejection)),
        spec=patch,
    )


def _wish(rejection: Rejection) -> str:
    """What lifts it; other words than those that were there before it, and lift nothing."""
    number = str(rejection.attempt)
    return number if rejection.ignored_retry != number else f"{number}/again"


def _asking_again(prompt: PromptSubject, version: str, family_of: Callable[[str], str | None]) -> tuple[Json, str]:
    """What the spec must say to ask for that version, and the same for people; empty where it names it."""
    if prompt.version == version:
        return {}, ""
    family = family_of(version)
    patch: Json = {"version": version}
    said = f"; spec.prompt.version is {version} again (was {prompt.version})"
    if family is not None and family != prompt.family:
        patch["family"] = family
        said = f"{said}, spec.prompt.family {family} (was {prompt.family})"
    return {"prompt": patch}, said


def _lift_alone(view: RolloutView, rejection: Rejection) -> Change:
    """What a target holds is its owners' to write: only the rejection goes."""
    return Change(
        says=f"{view.key}: lifted the rejection of {rejection.version} (attempt {rejection.attempt});"
        " it is tried when the target holds it again",
        is_done=lambda later: all(known.attempt != rejection.attempt for known in later.status.rejected),
        annotation=(RETRY, _wish(rejection)),
        spec={},
    )


def _lifted(view: RolloutView, number: int | None) -> HistoryEntry | None:
    """The attempt whose rejection the operator has lifted on this very wish, while the spec still asks for it."""
    asked = ask(view.annotations, RETRY)
    rejected, candidate = view.status.rejected, _asked_for(view)
    if asked is None or number not in (None, asked.attempt):
        return None
    if any(rejection.attempt == asked.attempt for rejection in rejected):
        return None
    if number is None and rejected and (candidate is None or _of(rejected, candidate)):
        return None
    entry = next((each for each in view.status.history if each.number == asked.attempt), None)
    prompt = view.spec.prompt if view.spec is not None else None
    return entry if entry is not None and (prompt is None or prompt.version == entry.version) else None


def _asked_for(view: RolloutView) -> str | None:
    """The version that the spec names instead of stable; what a target holds is not known from its Rollout."""
    prompt, stable = view.spec.prompt if view.spec is not None else None, view.status.stable
    return prompt.version if prompt is not None and (stable is None or prompt.version != stable.version) else None


def _of(rejected: Iterable[Rejection], version: str | None) -> list[Rejection]:
    return [rejection for rejection in rejected if rejection.version == version]


def _rejection(view: RolloutView, number: int | None) -> Rejection:
    rejected = view.status.rejected
    if not rejected:
        raise CommandError(f"{view.key}: nothing is rejected, so there is nothing to retry")
    if number is None:
        again = asked_again(view)
        return again or max(_of(rejected, _asked_for(view)) or rejected, key=lambda rejection: rejection.attempt)
    found = next((rejection for rejection in rejected if rejection.attempt == number), None)
    if found is None:
        known = ", ".join(f"{rejection.attempt} ({rejection.version})" for rejection in rejected)
        raise CommandError(f"{view.key}: attempt {number} rejected nothing; rejected in: {known}")
    return found
