"""When `--until-end` is over, and with which exit status. Pure."""

from dataclasses import dataclass

from headgate.api.rollout import KillSwitch, RolloutSpec
from headgate.api.rollout_status import AttemptState, Outcome
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.in_the_way import obstacle
from headgate.cli.unheard import is_retried, unheard_retry
from headgate.engine.observation import RolloutView


@dataclass(frozen=True, slots=True)
class End:
    """How it ended."""

    says: str
    status: ExitStatus


def end_of(view: RolloutView, watched: int | None) -> End | None:
    """The end of the attempt that is watched, or of the last one; None while it goes on or is about to begin.

    ``watched`` is the number of the attempt that was seen in flight.
    """
    status, attempt = view.status, view.status.attempt
    if watched is not None and attempt is not None and attempt.number != watched:
        entry = next((each for each in status.history if each.number == watched), None)
        outcome = entry.outcome if entry is not None else Outcome.SUPERSEDED
        return _ended(view, watched, outcome, entry.reason if entry is not None else "")
    if attempt is not None and attempt.state is not AttemptState.ENDED:
        return None
    if attempt is not None and attempt.number == watched:
        return _ended(view, attempt.number, attempt.outcome, attempt.reason)
    return _at_rest(view)


def _at_rest(view: RolloutView) -> End | None:
    """With no attempt in flight: the end of the last one, unless another begins, or one should and does not."""
    status, attempt = view.status, view.status.attempt
    if view.spec is None:
        return End(f"{view.key}: the spec cannot be read: {view.spec_error}", ExitStatus.FAILED)
    if status.observed_generation != view.generation or unheard_retry(view) is not None:
        return None
    if (why := obstacle(view)) is not None:
        return End(f"{view.key}: no attempt begins: {why}", ExitStatus.FAILED)
    if is_retried(view) or _is_untried(view.spec, view):
        return _kept_off(view, view.spec.kill_switch)
    if attempt is not None:
        return _ended(view, attempt.number, attempt.outcome, attempt.reason)
    if status.stable is not None:
        return End(f"{view.key}: {status.stable.version} is stable; there was no attempt", ExitStatus.OK)
    return None


def _is_untried(spec: RolloutSpec, view: RolloutView) -> bool:
    """Whether the spec names a version that was never tried, as far as is known.

    That the operator has seen the spec does not say that the version has been compiled.
    """
    stable, attempt = view.status.stable, view.status.attempt
    if spec.prompt is None or stable is None:
        return False
    known = {stable.version, *(rejection.version for rejection in view.status.rejected)}
    if attempt is not None:
        known.add(attempt.candidate.version)
    return spec.prompt.version not in known


def _kept_off(view: RolloutView, switch: KillSwitch) -> End | None:
    """The end where the kill switch keeps an attempt from beginning; None where it is about to."""
    if switch is KillSwitch.OFF:
        return None
    why = f"the kill switch is {switch.value}; to try it: headgate kill {view.name} --to Off"
    return End(f"{view.key}: no attempt begins: {why}", ExitStatus.FAILED)


def _ended(view: RolloutView, number: int, outcome: Outcome | None, reason: str) -> End:
    word = outcome.value if outcome is not None else "Ended"
    because = f": {reason}" if reason else ""
    status = ExitStatus.OK if outcome is Outcome.PROMOTED else ExitStatus.FAILED
    return End(f"{view.key}: attempt {number} {word}{because}", status)
