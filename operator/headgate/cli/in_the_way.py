"""What keeps an attempt from beginning until a person acts, as far as a Rollout tells. Pure."""

from headgate.api.conditions import Condition, ConditionStatus
from headgate.api.rollout_status import Phase, Rejection, VersionRef
from headgate.cli.unheard import unheard_retry
from headgate.engine.observation import RolloutView
from headgate.engine.turn import named


def obstacle(view: RolloutView) -> str | None:
    """Why no attempt of what is asked for begins; None where one may, or where that is not known.

    What a retry that was not heard yet lifts is not in the way any more.
    """
    stalled = _stalled(view)
    if stalled is None:
        return None
    if view.status.phase is Phase.INVALID:
        return stalled.message
    # What became of the last attempt is in nobody's way, and of stable none begins.
    if stalled.reason == "RolledBack" or _asks_for_stable(view):
        return None
    if stalled.reason != "Rejected":
        return stalled.message
    retried, again = unheard_retry(view), asked_again(view)
    return stalled.message if retried is None or again not in (None, retried) else None


def asked_again(view: RolloutView) -> Rejection | None:
    """The rejection that Stalled speaks of: its content is asked for, by the spec or the target, under whatever name.

    None where nothing rejected is, or where that is not known.
    """
    stalled = _stalled(view)
    if stalled is None or stalled.reason != "Rejected":
        return None
    return next((each for each in view.status.rejected if stalled.message.startswith(_words(each))), None)


def _asks_for_stable(view: RolloutView) -> bool:
    """Whether the spec names the stable version; what a target holds is not known from its Rollout."""
    prompt, stable = view.spec.prompt if view.spec is not None else None, view.status.stable
    return prompt is not None and stable is not None and prompt.version == stable.version


def _stalled(view: RolloutView) -> Condition | None:
    """The condition, where it is True and of this generation; what it says of an earlier one may be over."""
    if view.status.observed_generation != view.generation:
        return None
    stalled = next((known for known in view.status.conditions if known.type == "Stalled"), None)
    return stalled if stalled is not None and stalled.status is ConditionStatus.TRUE else None


def _words(rejection: Rejection) -> str:
    """As the condition begins."""
    return f"{named(VersionRef(version=rejection.version, digest=rejection.digest))} "
