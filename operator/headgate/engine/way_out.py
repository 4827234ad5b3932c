"""What a person is told of a rejected version that is asked for: who has it, and what they can do."""

from headgate.api.rollout_status import Rejection
from headgate.engine.desired import is_legacy
from headgate.engine.keeping import change, is_weighed, put_back
from headgate.engine.routers import undelivered
from headgate.engine.target import is_another, is_made_again
from headgate.engine.turn import Turn

_LONGEST_REASON = 400


def way_out(turn: Turn, rejection: Rejection) -> str:
    """Why a rejected version that is asked for is not tried, and what a person can do about it."""
    name, digest = turn.observation.rollout.name, rejection.digest[:19]
    return (
        f"{rejection.version} ({digest}) was rejected in attempt {rejection.attempt}:"
        f" {rejection.reason[:_LONGEST_REASON]}; {_who_has_what(turn)}."
        f" {change(turn) or _ask_for_another(turn)}, or allow it again with:"
        f" headgate retry {name} --attempt {rejection.attempt}"
    )


def _who_has_what(turn: Turn) -> str:
    """What people are served while a rejected version is asked for."""
    view, target = turn.observation.rollout, turn.observation.target
    if turn.status.stable is None or is_another(turn):
        ref = target.ref if target is not None else None
        return f"who reads {ref.kind} {ref.name} has it" if ref is not None else "no version of it is stable yet"
    if not is_weighed(turn):
        return "who reads the object has it: it holds no weight"
    if undelivered(turn):
        return "not everybody is on stable, as Delivered says"
    if view.spec is not None and is_legacy(view.spec, view.orders.kill_switch):
        return "the kill switch gives everybody the legacy path"
    return "everybody stays on stable"


def _ask_for_another(turn: Turn) -> str:
    """What a person can do where nobody keeps what is asked for."""
    if turn.observation.rollout.orders.prompt is not None:
        return "Name another version"
    put = put_back(turn) if not is_another(turn) or is_made_again(turn) else ""
    return f"{put[0].upper()}{put[1:]}, or write another content" if put else "Write another content"
