"""The rule that keeps a late writer from undoing a later decision. Knows no router."""

from headgate.api.rollout import KillSwitch
from headgate.delivery.refusals import Fenced
from headgate.engine.routing import Routing


def exposes(routing: Routing) -> bool:
    """Whether the routing lets anybody, or a copy of a request, reach the candidate."""
    return routing.kill is KillSwitch.OFF and (routing.weight > 0 or routing.shadow > 0)


FARTHEST = 2**50
"""No Rollout comes as far as this by itself: a revision beyond it is a number of somebody's, and no fence.

It lies so far below shape.LARGEST that a Rollout which goes on from here can always read what it writes itself.
"""

_NEAR = 1000
"""How far ahead of a Rollout that has been brought to FARTHEST another replica of headgate can be."""


def believed(carried: int | None, known: int) -> int:
    """The revision that marks carry, as far as it is believed; 0, which fences nobody off, where it is not.

    ``known`` is the revision of the Rollout itself, 0 where it is gone. Whoever may write a router may write any number
    into its marks, and what is believed is gone on from: that must never end where no next one can be written.
    """
    if carried is None or not 0 <= carried <= max(FARTHEST, known + _NEAR):
        return 0
    return carried


def check(carried: int | None, routing: Routing) -> None:
    """Raises Fenced when the router carries a higher revision than the routing, and one that is believed."""
    if believed(carried, routing.revision) > routing.revision:
        raise Fenced(believed(carried, routing.revision))


def stands(carried: int | None, routing: Routing) -> bool:
    """Whether a router that already shows the routing's split need not be written for the sake of its revision.

    A way back must leave its revision even where the split never arrived: else a writer that was held up between the
    commit of a weight and its delivery could still raise it. Only when that writer's revision could lie between the
    carried one and this one does it matter, and only while this routing exposes nobody: exposure falls to nothing or
    not at all.
    """
    if carried is None or not 0 <= carried <= routing.revision:
        return False
    return exposes(routing) or routing.revision - carried <= 1
