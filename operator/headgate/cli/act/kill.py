"""The kill switch. Pure."""

from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import AttemptState, Phase
from headgate.cli.act.change import Change, is_observed
from headgate.cli.course import is_in_flight
from headgate.cli.in_the_way import obstacle
from headgate.cli.unheard import unheard_retry, withdrawal
from headgate.cli.waiting import is_undelivered
from headgate.engine.annotations import RETRY
from headgate.engine.desired import is_legacy
from headgate.engine.observation import RolloutView


def kill(view: RolloutView, to: KillSwitch) -> Change:
    """Sets spec.killSwitch, in every state.

    Not Off withdraws a retry that the operator has not heard: the rejection is not lifted by what was said before.
    """

    def is_done(later: RolloutView) -> bool:
        # Not by the phase: where something is wrong with the spec besides, that is what it says.
        everywhere = to is KillSwitch.OFF or not (is_in_flight(later.status.attempt) or is_undelivered(later))
        return is_observed(later) and everywhere

    off = to is KillSwitch.OFF and view.orders.kill_switch is KillSwitch.OFF
    unheard = unheard_retry(view) if to is not KillSwitch.OFF else None
    withdrawn = f"; {withdrawal(unheard)}" if unheard is not None else ""
    return Change(
        says=f"{view.key}: {_consequence(view, to)}{withdrawn}",
        is_done=is_done,
        annotation=(RETRY, None) if unheard is not None else None,
        spec={} if off else {"killSwitch": to.value},
    )


def _consequence(view: RolloutView, to: KillSwitch) -> str:
    stable = view.status.stable.version if view.status.stable is not None else "stable"
    attempt = view.status.attempt
    taken_back = ""
    if attempt is not None and attempt.state not in {AttemptState.ENDED, AttemptState.ROLLING_BACK}:
        taken_back = (
            f"; attempt {attempt.number} is taken back and {attempt.candidate.version} rejected"
            f" until: headgate retry {view.name}"
        )
    match to:
        case KillSwitch.OFF:
            return f"the kill switch is off{_what_follows(view)}"
        case KillSwitch.STABLE:
            return f"killed: everybody gets {stable} at once{taken_back}"
        case KillSwitch.LEGACY if is_legacy(view.spec, to):
            return f"killed: everybody gets the legacy path at once{taken_back}"
        case KillSwitch.LEGACY:
            return f"killed: everybody gets {stable} at once, since only a flag has a legacy path{taken_back}"


def _what_follows(view: RolloutView) -> str:
    """What was taken back stays so; what was asked for meanwhile and never rejected is tried now."""
    spec, stable = view.spec, view.status.stable
    if view.orders.kill_switch is KillSwitch.OFF:
        return ""
    rejected = {known.version for known in view.status.rejected if known != unheard_retry(view)}
    if view.status.phase is Phase.INVALID and (why := obstacle(view)) is not None:
        return f"; no attempt begins: {why}"
    if spec is not None and spec.target is not None:
        return f"; what was rejected stays so; another edit of {spec.target.kind} {spec.target.name} is tried now"
    asked = spec.prompt.version if spec is not None and spec.prompt is not None else None
    if asked is None or stable is None or asked == stable.version or asked in rejected or obstacle(view) is not None:
        return "; nothing rises by itself, everybody stays on stable"
    return f"; {asked}, which the spec names, is tried now, from its first step"
