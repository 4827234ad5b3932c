"""Which Rollouts speak of which objects, both ways. Knows names, not contents."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from headgate.api.rollout import Delivery, RolloutSpec
from headgate.api.target import ObjectReference, TargetSubject, holds
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, Kind
from headgate.engine.observation import Key, RolloutView
from headgate.engine.routing import router_id, target_id


class Role(StrEnum):
    """What an object is to a Rollout."""

    VERSION = "version"
    PAST_VERSION = "past version"
    GATE = "gate"
    ROUTER = "router"
    CONFIG_MAP = "ConfigMap"
    FEATURE_FLAG = "FeatureFlag"
    HTTP_ROUTE = "HTTPRoute"
    TARGET = "target"
    PLACE = "place"
    """A field that headgate writes for it: a weight's, or one that is released."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing that a Rollout speaks of."""

    role: Role
    namespace: str
    name: str


_DOCUMENTS = {CONFIG_MAP: Role.CONFIG_MAP, FEATURE_FLAG: Role.FEATURE_FLAG, HTTP_ROUTE: Role.HTTP_ROUTE}


def document(kind: Kind, key: Key) -> Reference:
    """The reference to an object that a router lives in."""
    if kind in _DOCUMENTS:
        return Reference(_DOCUMENTS[kind], key.namespace, key.name)
    return Reference(Role.TARGET, key.namespace, _target(kind.group, kind.kind, key.name))


class References:
    """Rollouts by reference, and references by Rollout."""

    def __init__(self) -> None:
        self._of: dict[Key, frozenset[Reference]] = {}
        self._to: dict[Reference, set[Key]] = {}

    def to(self, reference: Reference) -> frozenset[Key]:
        """The Rollouts that speak of it."""
        return frozenset(self._to.get(reference, ()))

    def of(self, rollout: Key) -> frozenset[Reference]:
        """What a Rollout speaks of."""
        return self._of.get(rollout, frozenset())

    def set(self, rollout: Key, references: frozenset[Reference]) -> frozenset[Reference]:
        """Replaces what a Rollout speaks of; what is new or no longer there."""
        before = self.of(rollout)
        for reference in before - references:
            holders = self._to[reference]
            holders.discard(rollout)
            if not holders:
                del self._to[reference]
        for reference in references - before:
            self._to.setdefault(reference, set()).add(rollout)
        if references:
            self._of[rollout] = references
        else:
            self._of.pop(rollout, None)
        return before ^ references


def references_of(view: RolloutView, bound: Iterable[Delivery]) -> frozenset[Reference]:
    """All that a Rollout speaks of: by its spec, by its status, and by the deliveries of its attempt."""
    found = set(_versions(view))
    deliveries = list(bound)
    if view.spec is not None:
        deliveries += view.spec.routes()
        found |= set(_subject(view, view.spec))
        found |= {Reference(Role.GATE, view.namespace, gate.name) for gate in view.spec.references()}
    for delivery in deliveries:
        found |= set(_documents(view, delivery))
        found.add(Reference(Role.ROUTER, view.namespace, router_id(delivery)))
    return frozenset(found)


def _versions(view: RolloutView) -> Iterable[Reference]:
    status = view.status
    if (asked := view.orders.prompt) is not None:
        yield Reference(Role.VERSION, view.namespace, asked.version)
    if status.stable is not None:
        yield Reference(Role.VERSION, view.namespace, status.stable.version)
    if status.attempt is not None:
        yield Reference(Role.VERSION, view.namespace, status.attempt.candidate.version)
    past = [rejection.version for rejection in status.rejected] + [entry.version for entry in status.history]
    for version in past:
        yield Reference(Role.PAST_VERSION, view.namespace, version)


def _subject(view: RolloutView, spec: RolloutSpec) -> Iterable[Reference]:
    target = spec.target
    if target is not None:
        yield Reference(Role.TARGET, view.namespace, _named(target))
        # Whoever releases an object has it to itself, as a router.
        yield Reference(Role.ROUTER, view.namespace, target_id(target))
        yield from released_places(view.namespace, target)


def released_places(namespace: str, target: TargetSubject) -> Iterable[Reference]:
    """The fields of an object that are released."""
    return _places(namespace, target, target.fields)


def weight_places(namespace: str, delivery: Delivery) -> Iterable[Reference]:
    """The field that a delivery writes its weight into, where it writes one."""
    field = delivery.field
    if field is None or field.target is None:
        return ()
    return _places(namespace, field.target, [field.path])


def _places(namespace: str, held_by: ObjectReference, paths: Iterable[str]) -> Iterable[Reference]:
    """The references to fields of an object, through whatever version of its kind's group they are written."""
    for path in paths:
        yield Reference(Role.PLACE, namespace, f"{_named(held_by)}#{path}")


def holder_of(place: Reference) -> Reference:
    """The object that a place is in."""
    return Reference(Role.TARGET, place.namespace, place.name.partition("#")[0])


def collide(place: Reference, other: Reference) -> bool:
    """Whether both are places, and what is written into one is seen in the other."""
    if place.role is not Role.PLACE or other.role is not Role.PLACE or holder_of(place) != holder_of(other):
        return False
    path, with_path = place.name.partition("#")[2], other.name.partition("#")[2]
    return holds(path, with_path) or holds(with_path, path)


def _named(target: ObjectReference) -> str:
    return _target(target.api_version.split("/", 1)[0], target.kind, target.name)


def _target(group: str, kind: str, name: str) -> str:
    return f"{group}/{kind}/{name}"


def _documents(view: RolloutView, delivery: Delivery) -> Iterable[Reference]:
    flag, route, field = delivery.flag, delivery.http_route, delivery.field
    if flag is not None and flag.config_map is not None:
        yield Reference(Role.CONFIG_MAP, view.namespace, flag.config_map.name)
    if flag is not None and flag.feature_flag is not None:
        yield Reference(Role.FEATURE_FLAG, view.namespace, flag.feature_flag.name)
    if route is not None:
        yield Reference(Role.HTTP_ROUTE, view.namespace, route.name)
        for backend in route.backends:
            yield Reference(Role.CONFIG_MAP, view.namespace, f"{view.name}-{backend}")
    if field is not None and field.target is not None:
        yield Reference(Role.TARGET, view.namespace, _named(field.target))
    yield from weight_places(view.namespace, delivery)
