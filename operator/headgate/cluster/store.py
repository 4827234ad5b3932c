"""Everything that was last seen of the cluster, parsed, and who is concerned by a change. Asks nobody anything."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from headgate.api.rollout import Delivery
from headgate.cluster.documents import SeenDocuments
from headgate.cluster.metadata import identity
from headgate.cluster.objects import Json, Kind
from headgate.cluster.references import (
    Reference,
    References,
    Role,
    collide,
    document,
    holder_of,
    references_of,
    released_places,
    weight_places,
)
from headgate.cluster.shelf import Shelf
from headgate.cluster.targets import Targets, not_allowed, refused, view_of, wanted
from headgate.cluster.views import GateEntry, VersionEntry, gate_entry, rollout_view, version_entry
from headgate.engine.desired import ids, is_frozen
from headgate.engine.observation import GateView, Key, RolloutView, TargetView, VersionView
from headgate.engine.routing import router_id, target_id

Poke = Callable[[Key], None]


def _nobody(_key: Key) -> None:
    """Nobody is concerned."""


class Store:
    """The typed store. News pokes the Rollouts, versions and gates that it concerns; what is no news pokes nobody."""

    def __init__(
        self,
        judge: Callable[[GateEntry, str], GateView] = lambda entry, _namespace: entry.view,
        targets: Targets | None = None,
    ) -> None:
        """``judge`` adds to a gate's view why Rollouts cannot be judged by it; without ``targets`` none is allowed."""
        self.rollouts: Shelf[RolloutView] = Shelf()
        self.versions: Shelf[VersionEntry] = Shelf()
        self.gates: Shelf[GateEntry] = Shelf()
        self.targets = targets if targets is not None else Targets()
        self.documents = SeenDocuments(self._document_changed, self.targets.keep)
        self.poke_rollout: Poke = _nobody
        self.poke_version: Poke = _nobody
        self.restage_version: Poke = _nobody
        """Told of a version whose place in some Rollout may have changed."""
        self.poke_gate: Poke = _nobody
        self.replaced: Callable[[RolloutView], None] = lambda _view: None
        """Told of a Rollout that is gone without a word, since another one has its name by now."""
        self._judge = judge
        self._references = References()
        self._bound: dict[Key, tuple[Delivery, ...]] = {}

    def saw_rollout(self, raw: Json, *, poke: bool = True) -> RolloutView | None:
        """Takes a state of a Rollout; the newest one known, None when the object has no identity or is gone."""
        who = identity(raw)
        if who is None:
            return None
        known = self.rollouts.get(who.key)
        if not self.rollouts.is_news(who.key, who.version):
            return known
        view = rollout_view(raw, known)
        if view is None:
            return known
        self.rollouts.put(who.key, who.version, view)
        if known is not None and known.uid != view.uid:
            self._bound.pop(who.key, None)
            self.replaced(known)
        spoken_of = self._references.of(view.key)
        self._refer(view.key, references_of(view, self._bound.get(view.key, ())))
        self._restage(spoken_of | self._references.of(view.key))
        if poke:
            self.poke_rollout(view.key)
        return view

    def lost_rollout(self, key: Key, version: int) -> RolloutView | None:
        """A Rollout was gone at that resourceVersion; what was known of it, unless something newer is."""
        view = self.rollouts.remove(key, version)
        if view is not None:
            self._bound.pop(key, None)
            spoken_of = self._references.of(key)
            self._refer(key, frozenset())
            self._restage(spoken_of)
        return view

    def saw_version(self, raw: Json) -> VersionEntry | None:
        """Takes a state of a PromptVersion; None when it was no news."""
        who = identity(raw)
        if who is None or not self.versions.is_news(who.key, who.version):
            return None
        known = self.versions.get(who.key)
        entry = version_entry(raw)
        if entry is None:
            return None
        self.versions.put(who.key, who.version, entry)
        if known is None or known.view != entry.view:
            self._poke_all(Reference(Role.VERSION, who.key.namespace, who.key.name))
        self.poke_version(who.key)
        return entry

    def reread_version(self, key: Key, entry: VersionEntry) -> None:
        """Another view of the version that is known, such as that it cannot be compiled."""
        self.versions.replace(key, entry)
        self._poke_all(Reference(Role.VERSION, key.namespace, key.name))

    def lost_version(self, key: Key, version: int) -> None:
        """A PromptVersion was gone at that resourceVersion."""
        if self.versions.remove(key, version) is not None:
            self._poke_all(Reference(Role.VERSION, key.namespace, key.name))

    def saw_gate(self, raw: Json) -> None:
        """Takes a state of a QualityGate."""
        who = identity(raw)
        if who is None or not self.gates.is_news(who.key, who.version):
            return
        known = self.gates.get(who.key)
        entry = gate_entry(raw)
        if entry is None:
            return
        if known is not None and (known.identity.uid, known.identity.generation) == (who.uid, who.generation):
            entry = replace(entry, view=known.view)
        else:
            entry = replace(entry, view=self._judge(entry, who.key.namespace))
        self.gates.put(who.key, who.version, entry)
        if known is None or known.view is not entry.view:
            self._poke_all(Reference(Role.GATE, who.key.namespace, who.key.name))
            self.poke_gate(who.key)

    def lost_gate(self, key: Key, version: int) -> None:
        """A QualityGate was gone at that resourceVersion."""
        if self.gates.remove(key, version) is not None:
            self._poke_all(Reference(Role.GATE, key.namespace, key.name))

    def bind(self, view: RolloutView, routes: tuple[Delivery, ...]) -> None:
        """The deliveries that an attempt's manifest froze belong to the Rollout too, whatever its spec says now.

        Those of an attempt that has ended do no more, nor are those of one that is gone the next one's of its name.
        """
        key, known = view.key, self.rollouts.get(view.key)
        if known is None or known.uid != view.uid or self._bound.get(key, ()) is routes:
            return
        if routes:
            self._bound[key] = routes
        else:
            self._bound.pop(key, None)
        self._refer(key, references_of(known, routes))

    def versions_of(self, view: RolloutView) -> Mapping[str, VersionView]:
        """The PromptVersions that a Rollout's spec and status name, those that exist."""
        found = {}
        for name in self._named(view, Role.VERSION):
            entry = self.versions.get(Key(view.namespace, name))
            if entry is not None:
                found[name] = entry.view
        return found

    def target_of(self, view: RolloutView) -> TargetView | None:
        """What the object that a Rollout releases holds; None where it releases a prompt."""
        if view.spec is not None and (why := refused(self.targets, view.spec)) is not None:
            # As where the spec cannot be read: what is stable and allowed stays so.
            return not_allowed(why, self._target_of(replace(view, spec=None)))
        return self._target_of(view)

    def _target_of(self, view: RolloutView) -> TargetView | None:
        named = wanted(view)
        if named is None:
            return None
        kind = self.targets.kind_of(named)
        found = self.documents.seen(kind, view.namespace, named.name) if isinstance(kind, Kind) else None
        seen = view_of(view, kind, found)
        if seen.ref is not None and (why := self.targets.unread(seen.ref)) is not None:
            # What is kept of the object is without that field, which would be taken for an edit.
            return not_allowed(why)
        return seen

    def gates_of(self, view: RolloutView) -> Mapping[str, GateView]:
        """The QualityGates that a Rollout's spec names, those that exist."""
        found = {}
        for name in self._named(view, Role.GATE):
            entry = self.gates.get(Key(view.namespace, name))
            if entry is not None:
                found[name] = entry.view
        return found

    def rollouts_with(self, version: Key) -> list[RolloutView]:
        """The Rollouts that have, had or want a PromptVersion."""
        roles = (Role.VERSION, Role.PAST_VERSION)
        keys = {key for role in roles for key in self._references.to(Reference(role, version.namespace, version.name))}
        return [view for view in map(self.rollouts.get, keys) if view is not None]

    def claimed_by(self, view: RolloutView, routes: Iterable[Delivery]) -> Mapping[str, str]:
        """Router id → the older Rollout that has it, for those of the routes that another one has.

        One that releases the field in which a weight of this one stands has that weight, and the other way round.
        """
        claims = {}
        for router, written in _claims(view, routes):
            holder = self._holder(Reference(Role.ROUTER, view.namespace, router), written)
            if holder is not None and holder.uid != view.uid and _age(holder) < _age(view):
                claims[router] = holder.name
        return claims

    def holds(self, asks: RolloutView, router: str, name: str, uid: str, exposes: bool) -> bool:  # noqa: FBT001
        """Whether the marks of that very Rollout on a router keep the one that ``asks`` off it.

        They do while it is there and may have the router still; at rest they give way to an older one that names it.
        """
        view = self.rollouts.get(Key(asks.namespace, name))
        if view is None or view.uid != uid or not self._may_have(view, router):
            return False
        return exposes or asks.deleting or _age(asks) > _age(view)

    def answers_for(self, rollout: Key, router: str) -> bool:
        """Whether somebody goes on from the marks on a router: a Rollout of that name, which writes it or may do so.

        Where an older one has the router nobody does: that one may have no stable version to put it at.
        """
        view = self.rollouts.get(rollout)
        if view is None:
            return False
        if is_frozen(view.status.attempt) and (bound := self._bound.get(rollout)) is not None:
            return router in ids(bound)
        routes = view.spec.routes() if view.spec is not None else ()
        return self._may_have(view, router) and router not in self.claimed_by(view, routes)

    def _may_have(self, view: RolloutView, router: str) -> bool:
        """Whether a router is one of a Rollout's, as far as it is known yet which are."""
        is_known = view.spec is not None and (view.key in self._bound or not is_frozen(view.status.attempt))
        return not is_known or Reference(Role.ROUTER, view.namespace, router) in self._references.of(view.key)

    def _holder(self, router: Reference, written: Iterable[Reference]) -> RolloutView | None:
        keys = set(self._references.to(router))
        for place in written:
            keys |= {key for key in self._references.to(holder_of(place)) if self._writes(key, place)}
        return min((view for view in map(self.rollouts.get, keys) if view is not None), key=_age, default=None)

    def _writes(self, key: Key, place: Reference) -> bool:
        return any(collide(place, reference) for reference in self._references.of(key))

    def _named(self, view: RolloutView, role: Role) -> Iterable[str]:
        return [reference.name for reference in self._references.of(view.key) if reference.role is role]

    def _refer(self, key: Key, references: frozenset[Reference]) -> None:
        if references == self._references.of(key):
            return
        for reference in self._references.set(key, references):
            if reference.role is Role.ROUTER:
                self._poke_all(reference, but=key)
            elif reference.role is Role.PLACE:
                self._poke_all(holder_of(reference), but=key)

    def _document_changed(self, kind: Kind, key: Key) -> None:
        self._poke_all(document(kind, key))

    def _restage(self, references: Iterable[Reference]) -> None:
        for reference in references:
            if reference.role in (Role.VERSION, Role.PAST_VERSION):
                self.restage_version(Key(reference.namespace, reference.name))

    def _poke_all(self, reference: Reference, but: Key | None = None) -> None:
        for key in self._references.to(reference):
            if key != but:
                self.poke_rollout(key)


def _claims(view: RolloutView, routes: Iterable[Delivery]) -> Iterable[tuple[str, Iterable[Reference]]]:
    """What a Rollout wants to itself: each router and its target, with the fields that are written there."""
    for delivery in routes:
        yield router_id(delivery), weight_places(view.namespace, delivery)
    target = view.spec.target if view.spec is not None else None
    if target is not None:
        yield target_id(target), released_places(view.namespace, target)


def _age(view: RolloutView) -> tuple[float, str]:
    return view.created_at.timestamp(), view.uid
