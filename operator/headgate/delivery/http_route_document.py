"""An HTTPRoute as a document: the rule with both backends, what it shows, and the edits for another split. No I/O.

It touches two weights, one RequestMirror filter of its own and one annotation; everything else is other people's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from headgate.cluster import shape
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery import http_route_marks
from headgate.delivery.fence import exposes
from headgate.delivery.http_route_marks import Marks, Mirror
from headgate.engine.routing import Routing

Backends = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A rule that names both backends, each once."""

    rule: int
    refs: tuple[int, int]
    """Where in the rule's backendRefs the two stand, in the order of the Rollout's ``backends``."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What the rules give a backend, in % rounded up; the most that any rule gives."""

    traffic: int
    copies: int


def places(route: Json, backends: Backends) -> list[Place]:
    """The rules that name both backends."""
    found = []
    for index, rule in enumerate(_rules(route)):
        refs = _refs(rule)
        both = [[at for at, ref in enumerate(refs) if _names(ref, backend)] for backend in backends]
        if len(both[0]) == 1 and len(both[1]) == 1:
            found.append(Place(index, (both[0][0], both[1][0])))
    return found


def problem(route: Json, backends: Backends) -> str | None:
    """Why no weight may rise on the route, in one line; None when it may."""
    name = shape.name(route)
    both = f"{backends[0]} and {backends[1]}"
    found = places(route, backends)
    if not found:
        named = [b for b in backends if any(_names(ref, b) for rule in _rules(route) for ref in _refs(rule))]
        if len(named) == 1:
            return f"HTTPRoute {name}: no rule names both {both}, each once, only {named[0]}; add the other to its rule"
        return f"HTTPRoute {name}: no rule names both {both}, each once; add both as backendRefs of one rule"
    if len(found) > 1:
        rules = ", ".join(str(place.rule) for place in found)
        return f"HTTPRoute {name}: the rules {rules} all name both {both}; headgate splits exactly one, move the others"
    rule = _rules(route)[found[0].rule]
    for index, ref in enumerate(_refs(rule)):
        if index not in found[0].refs and _weight(ref):
            other = shape.text(ref.get("name"))
            return (
                f"HTTPRoute {name}: backend {other} shares the rule of {both} with weight {_weight(ref)}; "
                "give it weight 0, shares must add up to 100 %"
            )
    return None


def shares(route: Json, backends: Backends, slot: int) -> Shares:
    """What one of the backends gets from the rules that name both; from any rule when none does any more."""
    backend = backends[slot]
    rules = _rules(route)
    split = [rules[place.rule] for place in places(route, backends)] or rules
    traffic = copies = 0
    for rule in split:
        refs = _refs(rule)
        total = sum(map(_weight, refs))
        own = sum(_weight(ref) for ref in refs if _names(ref, backend))
        traffic = max(traffic, ceil(100 * own / total) if total else 0)
        filters = shape.sequence(rule.get("filters"))
        copies = max([copies, *(_copied(filters[index]) for index in _mirrors(rule, backend))])
    return Shares(traffic, copies)


def edits(route: Json, routing: Routing, backends: Backends, marks: Marks | None) -> list[Json]:
    """The JSON patch operations that make the rules show the routing; empty when they do. The annotation is apart.

    Lowering works in every rule that names both backends, and beside backends that would forbid a rise.
    """
    operations: list[Json] = []
    share = routing.weight if exposes(routing) else 0
    weights = (100 - share, share) if routing.stable_slot == 0 else (share, 100 - share)
    for place in places(route, backends):
        rule = _rules(route)[place.rule]
        for position, weight in zip(place.refs, weights, strict=True):
            if _refs(rule)[position].get("weight") != weight:
                path = shape.pointer("spec", "rules", str(place.rule), "backendRefs", str(position), "weight")
                operations.append({"op": "add", "path": path, "value": weight})
        operations += _mirror_edits(rule, place, routing, marks)
    return operations


def annotate(route: Json, rollout: str, marks: Marks) -> list[Json]:
    """The operations that write the annotation."""
    key = http_route_marks.annotation(rollout)
    if not isinstance(shape.at(route, "metadata", "annotations"), dict):
        return [{"op": "add", "path": "/metadata/annotations", "value": {key: marks.text()}}]
    return [{"op": "add", "path": shape.pointer("metadata", "annotations", key), "value": marks.text()}]


def forget(rollout: str) -> Json:
    """The operation that takes the annotation of another Rollout away."""
    return {"op": "remove", "path": shape.pointer("metadata", "annotations", http_route_marks.annotation(rollout))}


def _mirror_edits(rule: Mapping[str, JsonValue], place: Place, routing: Routing, marks: Marks | None) -> list[Json]:
    base = shape.pointer("spec", "rules", str(place.rule), "filters")
    filters = shape.sequence(rule.get("filters"))
    wanted = _mirror(rule, place, routing) if exposes(routing) and routing.shadow else None
    ours = _our_mirror(rule, marks.mirror) if marks and marks.mirror else None
    if ours is not None and wanted is not None:
        if _same_mirror(filters[ours], wanted):
            return []
        return [{"op": "replace", "path": f"{base}/{ours}", "value": wanted}]
    if ours is not None:
        return [{"op": "remove", "path": base if len(filters) == 1 else f"{base}/{ours}"}]
    if wanted is not None:
        return [{"op": "add", "path": f"{base}/-" if filters else base, "value": wanted if filters else [wanted]}]
    return []


def _our_mirror(rule: Mapping[str, JsonValue], mirror: Mirror) -> int | None:
    """Where the filter that headgate added stands: to that backend, of several the last one with its share."""
    found = _mirrors(rule, mirror.backend)
    filters = shape.sequence(rule.get("filters"))
    exactly = [index for index in found if _copied(filters[index]) == mirror.percent]
    return next(reversed(exactly or found), None)


def _mirror(rule: Mapping[str, JsonValue], place: Place, routing: Routing) -> Json:
    idle = _refs(rule)[place.refs[1 - routing.stable_slot]]
    mirror: Json = {"backendRef": {key: idle[key] for key in ("group", "kind", "name", "port") if key in idle}}
    if routing.shadow < 100:
        mirror["percent"] = routing.shadow  # without it everything is copied, which older CRDs understand as well
    return {"type": "RequestMirror", "requestMirror": mirror}


def _mirrors(rule: Mapping[str, JsonValue], backend: str) -> list[int]:
    """Where the rule's RequestMirror filters to the backend stand, whoever added them."""
    return [
        index
        for index, entry in enumerate(shape.sequence(rule.get("filters")))
        if shape.at(entry, "type") == "RequestMirror"
        and _names(shape.mapping(shape.at(entry, "requestMirror", "backendRef")), backend)
    ]


def _same_mirror(entry: JsonValue, wanted: JsonValue) -> bool:
    shown, asked = (shape.at(one, "requestMirror", "backendRef") for one in (entry, wanted))
    same_port = shape.at(shown, "port") == shape.at(asked, "port")
    return same_port and shape.at(shown, "name") == shape.at(asked, "name") and _copied(entry) == _copied(wanted)


def _copied(entry: JsonValue) -> int:
    """The share of requests that a RequestMirror filter copies, in % rounded up."""
    mirror = shape.mapping(shape.at(entry, "requestMirror"))
    if (percent := shape.whole(mirror.get("percent"))) is not None:
        return percent
    numerator = shape.whole(shape.at(mirror.get("fraction"), "numerator"))
    denominator = shape.whole(shape.at(mirror.get("fraction"), "denominator")) or 100
    return 100 if numerator is None else ceil(100 * numerator / denominator)


def _rules(route: Json) -> list[Mapping[str, JsonValue]]:
    """The rules; a reference that spells out the route's own namespace reads as one that leaves it out."""
    own = shape.at(route, "metadata", "namespace")
    return [shape.mapping(_local(rule, own)) for rule in shape.sequence(shape.at(route, "spec", "rules"))]


def _local(value: JsonValue, own: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_local(item, own) for item in value]
    if isinstance(value, dict):
        return {
            key: _local(item, own) for key, item in value.items() if key != "namespace" or item != own or own is None
        }
    return value


def _refs(rule: Mapping[str, JsonValue]) -> list[Mapping[str, JsonValue]]:
    return [shape.mapping(ref) for ref in shape.sequence(rule.get("backendRefs"))]


def _names(ref: Mapping[str, JsonValue], backend: str) -> bool:
    """Whether a reference is to that Service of the route's own namespace."""
    return (
        ref.get("name") == backend
        and ref.get("kind", "Service") == "Service"
        and ref.get("group", "") == ""
        and "namespace" not in ref
    )


def _weight(ref: Mapping[str, JsonValue]) -> int:
    weight = shape.whole(ref.get("weight"))
    return 1 if weight is None else weight
