"""Stopping rises, and letting them go on. Pure."""

from headgate.cli.act.change import Change, is_observed, is_over
from headgate.cli.course import is_in_flight
from headgate.engine.annotations import RESUME
from headgate.engine.observation import RolloutView
from headgate.engine.pausing import resume_token


def pause(view: RolloutView) -> Change:
    """Sets spec.paused."""
    return Change(
        says=f"{view.key}: paused: weights do not rise until: headgate resume {view.name}; judging and reverting go on",
        is_done=is_observed,
        spec={"paused": True},
    )


def resume(view: RolloutView) -> Change:
    """Clears spec.paused, and ends the pause that a gate asked for; writes nothing when there is neither."""
    by_spec = view.orders.paused
    attempt = view.status.attempt if is_in_flight(view.status.attempt) else None
    by_gate = attempt.paused if attempt is not None else None
    number = attempt.number if attempt is not None else 0
    ended = " and ".join(
        part for part in ("spec.paused" if by_spec else "", f"the pause by {by_gate.check}" if by_gate else "") if part
    )

    def is_done(later: RolloutView) -> bool:
        known = later.status.attempt
        if by_spec and not is_observed(later):
            return False
        return by_gate is None or is_over(later, number) or (known is not None and known.paused is None)

    return Change(
        says=f"{view.key}: resumed: {ended} cleared" if ended else f"{view.key}: not paused",
        is_done=is_done,
        annotation=(RESUME, resume_token(attempt)) if attempt is not None and by_gate is not None else None,
        spec={"paused": None} if by_spec else {},
    )
