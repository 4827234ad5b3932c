"""Which Rollouts have left marks in an object, so that what a deleted one exposes can be put at stable. No I/O."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headgate.api.rollout import Delivery, FlagConfigMap, FlagDelivery, FlagFeatureFlag, HttpRouteDelivery
from headgate.api.target import FieldDelivery, ObjectReference
from headgate.cluster import shape
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, Json, JsonValue, Kind
from headgate.delivery import (
    feature_flag,
    field_document,
    flag_config_map,
    flagd,
    flagd_reading,
    http_route_document,
    http_route_marks,
)
from headgate.delivery.fence import believed
from headgate.delivery.flag_router import Carrier
from headgate.delivery.refusals import Unusable
from headgate.engine.routing import ArmVersion, Routing, router_id

_NAME = re.compile(r"[a-zA-Z0-9][-_.a-zA-Z0-9]{0,252}")
_ANY_KEY = "targetingKey"
"""At rest nobody is split, so a flag's key does not matter."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one Rollout's marks say about one router."""

    rollout: str
    uid: str
    revision: int
    """What the marks carry; 0 where that is not believed."""
    attempt: int
    stable: ArmVersion
    stable_slot: int
    exposing: bool
    """Whether somebody, or a copy of a request, reaches another version than stable."""
    tried: frozenset[str]
    """The digests of what is shown beside stable."""
    delivery: Delivery
    """Enough of a delivery to make the router that puts this at stable."""

    @property
    def router(self) -> str:
        """The identity of the router."""
        return router_id(self.delivery)

    def at_rest(self, namespace: str, promoted: ArmVersion | None = None) -> Routing:
        """The routing that puts it at stable, under the next revision; at what was ``promoted`` where it shows that."""
        keeps = promoted is not None and promoted.digest in self.tried
        return Routing(
            namespace=namespace,
            rollout=self.rollout,
            uid=self.uid,
            revision=self.revision + 1,
            attempt=self.attempt,
            stable=promoted if promoted is not None and keeps else self.stable,
            candidate=None,
            stable_slot=1 - self.stable_slot if keeps else self.stable_slot,
        )


def claims(kind: Kind, obj: Json) -> tuple[Claim, ...]:
    """The claims in a ConfigMap, a FeatureFlag, an HTTPRoute or a target; none where nothing can be read."""
    if kind == CONFIG_MAP:
        return tuple(_in_config_map(obj))
    if kind == FEATURE_FLAG:
        return tuple(_in_feature_flag(obj))
    if kind == HTTP_ROUTE:
        return tuple(_in_http_route(obj))
    return tuple(_in_fields(kind, obj))


def _in_config_map(obj: Json) -> Iterator[Claim]:
    for key in shape.mapping(obj.get("data")):
        carrier = flag_config_map.FlagConfigMap(shape.name(obj), key)
        place = FlagConfigMap.model_construct(name=carrier.name, key=key)
        for name, flag in _flags(carrier, obj):
            yield from _of_flag(flag, Delivery(flag=FlagDelivery(name=name, key=_ANY_KEY, config_map=place)))


def _in_feature_flag(obj: Json) -> Iterator[Claim]:
    carrier = feature_flag.FeatureFlag(shape.name(obj))
    place = FlagFeatureFlag.model_construct(name=carrier.name)
    for name, flag in _flags(carrier, obj):
        yield from _of_flag(flag, Delivery(flag=FlagDelivery(name=name, key=_ANY_KEY, feature_flag=place)))


def _flags(carrier: Carrier, obj: Json) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    """The flags of a document that carry marks and have a name that a Rollout can give."""
    try:
        names = carrier.names(obj)
    except Unusable:
        return
    for name in names:
        flag = carrier.flag(obj, name)
        if flag is not None and flagd.ROLLOUT in shape.mapping(flag.get("metadata")) and _NAME.fullmatch(name):
            yield name, flag


def _of_flag(flag: Mapping[str, JsonValue], delivery: Delivery) -> Iterator[Claim]:
    shown = flagd_reading.read(flag)
    metadata = shape.mapping(flag.get("metadata"))
    uid, attempt = shape.text(metadata.get(flagd.UID)), shape.whole(metadata.get(flagd.ATTEMPT))
    if shown.rollout is None or shown.stable is None or uid is None:
        return
    yield Claim(
        rollout=shown.rollout,
        uid=uid,
        revision=believed(shown.revision, known=0),
        attempt=attempt or 0,
        stable=shown.stable,
        stable_slot=0,
        exposing=bool(shown.weight or shown.shadow),
        tried=shown.exposed - {shown.stable.digest},
        delivery=delivery,
    )


def _in_http_route(obj: Json) -> Iterator[Claim]:
    for rollout, marks in http_route_marks.on(obj).items():
        idle = http_route_document.shares(obj, marks.backends, 1 - marks.slot)
        yield Claim(
            rollout=rollout,
            uid=marks.uid,
            revision=believed(marks.revision, known=0),
            attempt=marks.attempt,
            stable=marks.stable,
            stable_slot=marks.slot,
            exposing=bool(idle.traffic or idle.copies),
            tried=_digest(marks.candidate),
            delivery=Delivery(
                http_route=HttpRouteDelivery.model_construct(name=shape.name(obj), backends=list(marks.backends))
            ),
        )


def _in_fields(kind: Kind, obj: Json) -> Iterator[Claim]:
    held_by = ObjectReference.model_construct(api_version=kind.api_version, kind=kind.kind, name=shape.name(obj))
    for (rollout, path), marks in field_document.on(obj).items():
        yield Claim(
            rollout=rollout,
            uid=marks.uid,
            revision=believed(marks.revision, known=0),
            attempt=marks.attempt,
            stable=marks.stable,
            stable_slot=0,
            exposing=marks.weight > 0,
            tried=_digest(marks.candidate),
            delivery=Delivery(field=FieldDelivery.model_construct(path=path, target=held_by)),
        )


def _digest(version: ArmVersion | None) -> frozenset[str]:
    return frozenset({version.digest}) if version is not None else frozenset()
