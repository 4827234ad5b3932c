"""The flag of one Rollout as a router, whatever its document lives in. Knows how to look, to refuse and to change."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from headgate.api.rollout import FlagDelivery
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery import fence, flagd, flagd_reading
from headgate.delivery.flagd_reading import Shown
from headgate.delivery.last_writer import other_writer
from headgate.delivery.namespace_objects import NamespaceObjects
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.shared_object import SharedObject
from headgate.delivery.succession import Holds
from headgate.engine.routing import RouterState, Routing

NOTHING: Json = {}


class Carrier(Protocol):
    """What a flagd document lives in."""

    @property
    def place(self) -> str:
        """What people call it in messages."""
        ...

    def names(self, obj: Json | None) -> Iterable[str]:
        """The names of the document's flags. Raises Unusable for a document that cannot be read."""
        ...

    def flag(self, obj: Json | None, flag: str) -> Mapping[str, JsonValue] | None:
        """The flag; None when it is missing. Raises Unusable for a document that cannot be read."""
        ...

    def with_flag(self, obj: Json | None, flag: str, value: Json, *, rises: bool) -> Json:
        """The object with the flag in its document. Raises Unusable, for a rise also where lowering is allowed."""
        ...

    def owned_path(self, flag: str) -> tuple[str, ...]:
        """Where in managedFields the flag's writers stand."""
        ...


class FlagRouter:
    """One Rollout's flag in one document."""

    def __init__(  # noqa: PLR0917 - what it is, where it lives, and as whom it is written
        self,
        router: str,
        delivery: FlagDelivery,
        carrier: Carrier,
        shared: SharedObject,
        around: NamespaceObjects,
        holds: Holds,
    ) -> None:
        self._router = router
        self._delivery = delivery
        self._carrier = carrier
        self._shared = shared
        self._around = around
        self._holds = holds

    def observe(self, routing: Routing) -> RouterState:
        """What the flag was last seen to show, beside what it shall show. Asks nobody."""
        obj = self._shared.seen()
        try:
            flag = self._carrier.flag(obj, self._delivery.name)
        except Unusable as unusable:
            return RouterState(self._router, matches=False, problem=unusable.reason)
        if flag is None or obj is None:
            return RouterState(self._router, matches=False, problem=self._refusal(obj, routing))
        shown = flagd_reading.read(flag)
        problem = self._foreign(shown, routing)
        if problem is not None:
            return RouterState(self._router, matches=False, problem=problem)
        matches = flagd_reading.shows(flag, shown, self._wanted(routing, shown), routing)
        return RouterState(
            self._router,
            matches=matches,
            weight=shown.weight,
            shadow=shown.shadow,
            revision=self._carried(shown, routing),
            stable=shown.stable,
            exposed=shown.exposed,
            writer=None if matches else other_writer(obj, self._carrier.owned_path(self._delivery.name)),
            problem=None if matches else self._refusal(obj, routing),
        )

    async def apply(self, routing: Routing) -> RouterState:
        """Makes the flag show the routing. Raises ClusterError, Fenced and Unusable."""
        if not (state := self.observe(routing)).matches:
            await self._shared.change(lambda obj: self._changed(obj, routing), self._around)
            state = self.observe(routing)
        return state

    async def refresh(self) -> None:
        """Reads the document's object anew. Raises ClusterError."""
        await self._shared.fetch()

    def _changed(self, obj: Json | None, routing: Routing) -> Json:
        flag = self._carrier.flag(obj, self._delivery.name)
        shown = flagd_reading.read(flag or NOTHING)
        if flag is None and self._around.only_lowers:
            raise Unusable(f"{self._carrier.place}: flag {self._delivery.name} is gone; nothing is made for it")
        if flag is not None:
            if (foreign := self._foreign(shown, routing)) is not None:
                raise Unusable(foreign)
            fence.check(self._carried(shown, routing), routing)
        wanted = self._wanted(routing, shown)
        if obj is not None and flag is not None and flagd_reading.shows(flag, shown, wanted, routing):
            return obj
        return self._carrier.with_flag(obj, self._delivery.name, wanted, rises=fence.exposes(routing))

    def _refusal(self, obj: Json | None, routing: Routing) -> str | None:
        """Why the change would be refused; None when it would not."""
        try:
            self._changed(obj, routing)
        except Unusable as unusable:
            return unusable.reason
        except Fenced:
            return None  # a later decision stands there, which is no fault of the document
        return None

    def _wanted(self, routing: Routing, shown: Shown) -> Json:
        return flagd.flag(routing, self._delivery, shown.payloads)

    def _carried(self, shown: Shown, routing: Routing) -> int | None:
        """The revision that counts; None without marks. A Rollout that has the flag no more fences nobody off."""
        if shown.rollout not in (None, routing.rollout) or (shown.rollout is None and shown.revision is None):
            return None
        return fence.believed(shown.revision, routing.revision)

    def _foreign(self, shown: Shown, routing: Routing) -> str | None:
        """Why the flag is not this Rollout's to write; None when it is."""
        if shown.rollout == routing.rollout:
            return None
        if shown.rollout is not None:
            if not self._holds(shown.rollout, shown.uid, bool(shown.weight or shown.shadow)):
                return None
            return (
                f"{self._carrier.place}: flag {self._delivery.name} belongs to Rollout {shown.rollout}; "
                "name another flag or delete that Rollout"
            )
        arms = (routing.stable, routing.candidate)
        if shown.stable is not None and any(arm and arm.digest == shown.stable.digest for arm in arms):
            return None  # somebody cut off the marks of a flag whose content is this Rollout's
        return (
            f"{self._carrier.place}: flag {self._delivery.name} is there and not headgate's; "
            "name another flag or remove that one"
        )
