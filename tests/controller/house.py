"""The whole line of the house in memory, with the time and the evidence as arguments, for faults on demand."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from headgate.aftermath.webhooks import Webhooks
from headgate.api.configuration import Configuration
from headgate.cluster.objects import (
    CONFIG_MAP,
    PROMPT_VERSION,
    QUALITY_GATE,
    ROLLOUT,
    ClusterError,
    Json,
    JsonValue,
    Kind,
    Objects,
)
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.cluster.targets import Targets
from headgate.controller.aftermath import Aftermath
from headgate.controller.announcer import Announcer
from headgate.controller.carrying_out import CarryingOut
from headgate.controller.measuring import Measuring
from headgate.controller.metrics import Metrics
from headgate.controller.observing import Observing
from headgate.controller.prompt_versions import VersionUpkeep
from headgate.controller.reconcile import Reconcile
from headgate.controller.speaking import Speaking
from headgate.engine.evidence import Look, Question, Reading, ReadingKind
from headgate.engine.observation import Key
from tests.controller import documents
from tests.delivery.memory_cluster import MemoryCluster

REPLY = Key("ai", "reply")


class Cluster(MemoryCluster):
    """Also serves the status subresource; ``fault`` may raise before a write of a kind and subresource."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Callable[[Kind, str], ClusterError | None] = lambda _kind, _subresource: None
        self.unreadable: ClusterError | None = None
        """Raised instead of each answer to a read of one object."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        if self.unreadable is not None:
            raise self.unreadable
        return await super().get(kind, namespace, name)

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        self._may_fail(kind, subresource, name)
        return await super().merge_patch(kind, namespace, name, body, resource_version=resource_version)

    async def create(self, kind: Kind, namespace: str, body: Json) -> Json:
        metadata = body["metadata"]
        assert isinstance(metadata, dict)
        self._may_fail(kind, "", str(metadata["name"]))
        return await super().create(kind, namespace, body)

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        self._may_fail(kind, "", name)
        return await super().json_patch(kind, namespace, name, operations)

    def _may_fail(self, kind: Kind, subresource: str, name: str) -> None:
        error = self.fault(kind, subresource)
        if error is not None:
            self.requests.append(("refused", kind.kind, name))
            raise error


class Sources:
    """Answers every question with the value of its version."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.asked = 0

    async def measure(self, questions: Sequence[Question], now: datetime) -> Look:
        self.asked += 1
        values = self.values
        return Look(
            now, {each.key: Reading(ReadingKind.VALUE, values.get(each.subject.version, 1.0)) for each in questions}
        )


class House:
    """One operator's insides."""

    def __init__(
        self, cluster: Cluster | None = None, *, account_required: bool = False, targets: Targets | None = None
    ) -> None:
        """Of a cluster of its own, or of one in which others have worked before."""
        self.time = datetime(2026, 11, 21, 12, tzinfo=UTC)
        self.cluster = cluster or Cluster()
        self.store = Store(targets=targets)
        self.sources = Sources()
        metrics = Metrics()
        snapshots = Snapshots(self.cluster)
        observing = Observing(self.store, self.cluster, snapshots, account_required=account_required)
        self.speaking = Speaking(self.cluster, snapshots, required=account_required)
        self.announcer = Announcer(self.cluster, metrics.event_dropped)
        self._versions = VersionUpkeep(self.store, self.cluster, self.now)
        self.measuring = Measuring(self.sources, metrics, self.now, lambda _key: None)
        self.reconcile = Reconcile(
            store=self.store,
            snapshots=snapshots,
            observing=observing,
            carrying_out=CarryingOut(
                store=self.store,
                objects=self.cluster,
                snapshots=snapshots,
                observing=observing,
                speaking=self.speaking,
                announcer=self.announcer,
                metrics=metrics,
                now=self.now,
            ),
            measuring=self.measuring,
            aftermath=Aftermath(
                Webhooks(Configuration()),
                self.cluster,
                metrics,
                writer_of=self._writer_of,
                now=self.now,
                done=lambda _key: None,
                may_act=lambda: True,
            ),
            metrics=metrics,
            now=self.now,
            poke_last=lambda _key: None,
        )
        self.store.replaced = self.reconcile.depart

    async def _writer_of(self, key: Key) -> Objects:
        view = self.store.rollouts.get(key)
        assert view is not None
        return await self.speaking.for_more(view)

    def now(self) -> datetime:
        return self.time

    def take_over(self, other: "House") -> None:
        """A restart: what the API server has stays, what was remembered is gone."""
        self.cluster.share(other.cluster)
        for (kind, _, _), raw in list(self.cluster.objects.items()):
            self.tell(kind, raw)

    async def versions(self, *names: str, family: str = "reply") -> None:
        for name in names:
            await self.version(documents.version(name, family=family))
        self.put(QUALITY_GATE, documents.gate())

    async def version(self, document: dict[str, Any]) -> None:
        """A PromptVersion is applied, and compiled."""
        self.put(PROMPT_VERSION, document)
        await self._versions.look(Key("ai", document["metadata"]["name"]))

    def put(self, kind: Kind, document: dict[str, Any]) -> None:
        """A person's write, and the watch that tells of it."""
        self.tell(kind, self.write(kind, document))

    def tell(self, kind: Kind, raw: Json) -> None:
        """What a list or a watch tells of one object."""
        if kind == ROLLOUT:
            self.store.saw_rollout(raw)
        elif kind == PROMPT_VERSION:
            self.store.saw_version(raw)
        elif kind == QUALITY_GATE:
            self.store.saw_gate(raw)
        else:
            self.store.documents.watched(kind, raw, deleted=False)

    def annotate(self, rollout: str = "reply", /, **asked: str) -> None:
        """What a person asks of headgate, and the watch that tells of it."""
        raw = self.cluster.at(ROLLOUT, rollout)
        raw["metadata"]["annotations"] = {f"headgate.dev/{word}": text for word, text in asked.items()}
        self.tell(ROLLOUT, self.cluster.put(ROLLOUT, raw))

    def write(self, kind: Kind, document: dict[str, Any]) -> Json:
        """A person's write that no watch has told of yet."""
        name = document["metadata"]["name"]
        known: dict[str, Any] = self.cluster.at(kind, name) if (kind, "ai", name) in self.cluster.objects else {}
        metadata = {"generation": 1, **known.get("metadata", {}), **document["metadata"]}
        return self.cluster.put(kind, {**known, **document, "metadata": metadata})

    def delete(self, rollout: str = "reply") -> None:
        """A person deletes a Rollout, and the watch tells of it."""
        version = int(self.cluster.at(ROLLOUT, rollout)["metadata"]["resourceVersion"])
        view = self.store.lost_rollout(Key("ai", rollout), version)
        assert view is not None
        del self.cluster.objects[ROLLOUT, "ai", rollout]
        self.reconcile.depart(view)

    async def look(self, seconds: float = 0.0, rollout: str = "reply") -> None:
        """Looks some seconds later, and again when a measurement that it began is over."""
        self.time += timedelta(seconds=seconds)
        for _ in range(3):
            await self.reconcile.look(Key("ai", rollout))
            await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("measure")))

    @property
    def rollout(self) -> dict[str, Any]:
        return self.cluster.at(ROLLOUT, "reply")

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rollout["status"]
        return found

    def flags(self) -> str:
        text: str = self.cluster.at(CONFIG_MAP, "reply-flags")["data"]["flags.json"]
        return text
