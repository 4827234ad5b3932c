"""Rollouts as the store knows them, and the store with them, for tests without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any

from headgate.alerts.payload import Alert
from headgate.cluster.objects import ROLLOUT, Json, JsonValue
from headgate.cluster.store import Store
from headgate.engine.observation import RolloutView
from tests.alerts import posts
from tests.controller import documents
from tests.delivery.memory_cluster import MemoryCluster

BEGAN = datetime(2026, 11, 21, 6, tzinfo=UTC)
LATER = BEGAN + timedelta(minutes=3)


def rollout(
    name: str = "reply",
    *alerts: dict[str, Any],
    state: str = "Stepping",
    heard: list[str] | None = None,
    stored: str | None = None,
    generation: int = 1,
    number: int = 3,
) -> Json:
    """A Rollout whose third attempt, or that of another number, began at BEGAN."""
    body: Json = documents.rollout("v2", name=name, rollback={"alerts": list(alerts or posts.ALERTS)})
    annotations: Json = {"headgate.dev/alert": stored} if stored is not None else {}
    body["metadata"] = {
        "name": name,
        "namespace": "ai",
        "uid": f"uid-{name}",
        "generation": generation,
        "annotations": annotations,
        "creationTimestamp": "2026-11-20T00:00:00Z",
    }
    attempt: Json = {
        "number": number,
        "candidate": {"version": "v2", "digest": "sha256:v2"},
        "state": state,
        "startedAt": "2026-11-21T06:00:00.000Z",
        "alerts": [*(heard or [])],
    }
    body["status"] = {"observedGeneration": 1, "attempts": number, "attempt": attempt, "weight": 10}
    return body


def firing(
    labels: dict[str, str] | None = None, *, at: datetime = LATER, fingerprint: str = "ab", **changes: str
) -> Alert:
    """An alert of Alertmanager."""
    return Alert.model_validate(posts.alert(labels, at=at, fingerprint=fingerprint, **changes))


class Shelves:
    """A cluster with Rollouts in it, and a store that has seen them."""

    def __init__(self, *rollouts: Json) -> None:
        self.cluster = MemoryCluster()
        self.store = Store()
        for each in rollouts:
            self.saw(self.cluster.put(ROLLOUT, each))

    def saw(self, raw: Json) -> None:
        self.store.saw_rollout(raw)

    def views(self) -> list[RolloutView]:
        return [view for _, view in self.store.rollouts]

    def change(self, name: str = "reply", **metadata: JsonValue) -> None:
        """Somebody writes it, and no watch has told of that yet."""
        raw = self.cluster.at(ROLLOUT, name)
        raw["metadata"].update(metadata)
        self.cluster.put(ROLLOUT, raw)

    def annotation(self, name: str = "reply") -> str | None:
        found: str | None = self.cluster.at(ROLLOUT, name)["metadata"]["annotations"].get("headgate.dev/alert")
        return found
