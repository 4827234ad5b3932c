"""Whose a router is that several Rollouts have marked, and what those that have it no more left there. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from headgate.delivery.fence import exposes
from headgate.engine.routing import ArmVersion, Routing

Holds: TypeAlias = Callable[[str, str, bool], bool]
"""Whether the marks of a Rollout of that name and UID keep others off a router: it is there, and has the router.

The last argument says whether its candidate is exposed by them, which nobody else may end.
"""


class Marked(Protocol):
    """What the marks of every router say."""

    @property
    def revision(self) -> int | None:
        """The fence."""
        ...

    @property
    def uid(self) -> str:
        """The Rollout's."""
        ...

    @property
    def candidate(self) -> ArmVersion | None:
        """Whom it exposes; None at rest."""
        ...


Marks = TypeVar("Marks", bound=Marked)


@dataclass(frozen=True, slots=True)
class Succession(Generic[Marks]):
    """One router as a Rollout finds it."""

    own: Marks | None
    """The marks under the Rollout's own name."""
    holder: str | None
    """Another Rollout that has the router and lets nobody else write there."""
    left: Mapping[str, Marks]
    """By Rollout, the marks of others that are gone or have another router by now."""

    @property
    def before(self) -> Marks | None:
        """What is gone on from: one's own marks, else the newest that were left; None while another has the router."""
        if self.own is not None or self.holder is not None:
            return self.own
        return max(self.left.values(), key=lambda marks: marks.revision or 0, default=None)


def succession(marks: Mapping[str, Marks], routing: Routing, holds: Holds) -> Succession[Marks]:
    """Sorts the marks that were left on one router, by Rollout."""
    own = marks.get(routing.rollout)
    others = {rollout: other for rollout, other in marks.items() if rollout != routing.rollout}
    held = {rollout for rollout, other in others.items() if holds(rollout, other.uid, other.candidate is not None)}
    takes_back = own is not None and own.uid == routing.uid and own.candidate is not None and not exposes(routing)
    return Succession(
        own=own,
        # What a Rollout has exposed itself it takes back, whosever the router is by now.
        holder=None if takes_back else min(held, default=None),
        left={rollout: other for rollout, other in others.items() if rollout not in held},
    )
