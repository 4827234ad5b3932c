"""What of a Rollout's spec counts at once, for every attempt in flight: also where the rest of it cannot be read."""

from dataclasses import dataclass

from headgate.api.rollout import KillSwitch, Rollback, RolloutSpec

_NOTHING_SAID = Rollback()


@dataclass(frozen=True, slots=True)
class Orders:
    """The kill switch, the pause, and what takes an attempt back besides its gates."""

    kill_switch: KillSwitch = KillSwitch.OFF
    paused: bool = False
    rollback: Rollback = _NOTHING_SAID
    is_partial: bool = False
    """Whether some of the alerts that it asks for cannot be read."""


NO_ORDERS = Orders()
"""Nothing was said."""


def orders_of(spec: RolloutSpec) -> Orders:
    """The orders in a spec that can be read."""
    return Orders(spec.kill_switch, spec.paused, spec.rollback or _NOTHING_SAID)
