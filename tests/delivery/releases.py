"""Versions, routings and deliveries that the tests of this directory speak of."""

import json

from headgate.api.rollout import Delivery, FlagConfigMap, FlagDelivery, FlagFeatureFlag, HttpRouteDelivery, KillSwitch
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery.router import Router, routers
from headgate.engine.routing import ArmVersion, Payload, Routing
from tests.delivery.memory_cluster import Document, MemoryCluster

V7 = ArmVersion("reply-v7", "sha256:7", Payload("reply-v7-compiled", "openai/gpt@7", 42, "0"))
V8 = ArmVersion("reply-v8", "sha256:8", Payload("reply-v8-compiled", "openai/gpt@8", 43, "0.2"))
V9 = ArmVersion("reply-v9", "sha256:9", Payload("reply-v9-compiled", "openai/gpt@9", 44, "0.3"))

FLAG = FlagDelivery(name="reply", key="companyId", config_map=FlagConfigMap(name="flags", key="flags.json"))
FLAG_DELIVERY = Delivery(flag=FLAG)
FEATURE_FLAG_DELIVERY = Delivery(
    flag=FlagDelivery(name="reply", key="companyId", feature_flag=FlagFeatureFlag(name="flags"))
)
ROUTE_DELIVERY = Delivery(http_route=HttpRouteDelivery(name="reply", backends=["blue", "green"]))


def routing(
    weight: int = 0,
    *,
    revision: int = 1,
    shadow: int = 0,
    stable: ArmVersion = V7,
    candidate: ArmVersion | None = V8,
    slot: int = 0,
    kill: KillSwitch = KillSwitch.OFF,
    rollout: str = "reply",
    attempt: int = 1,
    uid: str = "uid-1",
) -> Routing:
    return Routing(
        "ai", rollout, uid, revision, attempt, stable, candidate, weight, shadow, slot, kill
    )  # in the order of the fields, so that a new one is noticed here


def at_rest(revision: int = 1, stable: ArmVersion = V7, slot: int = 0, attempt: int = 0) -> Routing:
    return routing(revision=revision, stable=stable, candidate=None, slot=slot, attempt=attempt)


def router(cluster: MemoryCluster, delivery: Delivery = FLAG_DELIVERY, *gone: str) -> Router:
    (made,) = routers(
        "ai", [delivery], cluster, cluster.documents, lambda _router, rollout, _uid, _exposes: rollout not in gone
    ).values()
    return made


def config_map(text: str | None = None, **metadata: JsonValue) -> Json:
    data: Json = {} if text is None else {"flags.json": text}
    return {"metadata": {"name": "flags", **metadata}, "data": data}


def document(config_map: Document) -> Document:
    """The flagd document in a ConfigMap."""
    read: Document = json.loads(config_map["data"]["flags.json"])
    return read
