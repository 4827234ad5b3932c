"""What of a Rollout's spec counts for every attempt in flight, at once: also where the rest of it cannot be read."""

from dataclasses import dataclass

from headgate.api.rollout import KillSwitch, PromptSubject, Rollback, RolloutSpec

_NOTHING_SAID = Rollback()


@dataclass(frozen=True, slots=True)
class Orders:
    """The kill switch, the pause, what takes an attempt back besides its gates, and what a revert puts back."""

    kill_switch: KillSwitch = KillSwitch.OFF
    paused: bool = False
    rollback: Rollback = _NOTHING_SAID
    prompt: PromptSubject | None = None
    """What is asked for; None where a target is released."""
    is_partial: bool = False
    """Whether some of the alerts that it asks for cannot be read."""


NO_ORDERS = Orders()
"""Nothing was said."""


def orders_of(spec: RolloutSpec) -> Orders:
    """The orders in a spec that can be read."""
    return Orders(spec.kill_switch, spec.paused, spec.rollback or _NOTHING_SAID, spec.prompt)
