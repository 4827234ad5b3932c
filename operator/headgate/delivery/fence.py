"""The rule that keeps a late writer from undoing a later decision. Knows no router."""

from headgate.api.rollout import KillSwitch
from headgate.delivery.refusals import Fenced
from headgate.engine.routing import Routing


def exposes(routing: Routing) -> bool:
    """Whether the routing lets anybody, or a copy of a request, reach the candidate."""
    return routing.kill is KillSwitch.OFF and (routing.weight > 0 or routing.shadow > 0)


def check(carried: int | None, routing: Routing) -> None:
    """Raises Fenced when the router carries a higher revision than the routing."""
    if carried is not None and carried > routing.revision:
        raise Fenced(carried)


def stands(carried: int | None, routing: Routing) -> bool:
    """Whether a router that already shows the routing's split need not be written for the sake of its revision.

    A way back must leave its revision even where the split never arrived: else a writer that was held up between the
    commit of a weight and its delivery could still raise it. Only when that writer's revision could lie between the
    carried one and this one does it matter, and only while this routing exposes nobody: exposure falls to nothing or
    not at all.
    """
    if carried is None or carried > routing.revision:
        return False
    return exposes(routing) or routing.revision - carried <= 1
