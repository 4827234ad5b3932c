"""Which rejected version is asked for, as far as a Rollout tells. Pure."""

from headgate.api.conditions import ConditionStatus
from headgate.api.rollout_status import Rejection, VersionRef
from headgate.engine.observation import RolloutView
from headgate.engine.turn import named


def asked_again(view: RolloutView) -> Rejection | None:
    """The rejection that Stalled speaks of: its content is asked for, by the spec or the target, under whatever name.

    None where nothing rejected is, or where the operator has not looked at this generation yet.
    """
    status = view.status
    stalled = next((known for known in status.conditions if known.type == "Stalled"), None)
    if stalled is None or stalled.status is not ConditionStatus.TRUE or stalled.reason != "Rejected":
        return None
    if status.observed_generation != view.generation:
        return None
    return next((each for each in status.rejected if stalled.message.startswith(_words(each))), None)


def _words(rejection: Rejection) -> str:
    """As the condition begins."""
    return f"{named(VersionRef(version=rejection.version, digest=rejection.digest))} "
