"""When what was seen of each Rollout, by watches: its spec, its status and what its routers say to who reads them."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench import targets
from bench.cluster import Cluster
from bench.documents import Document

FLAG, ROUTE, FIELD = "flag", "httpRoute", "field"


@dataclass(slots=True)
class Sighting:
    """What was seen last of one Rollout, and since when (seconds since the epoch) it has been so."""

    version: str = ""
    """In its spec, or in its target."""
    version_since: float = 0.0
    stable: str = ""
    phase: str = ""
    attempt: int = 0
    shares: dict[str, int] = field(default_factory=dict)
    """The candidate's share by router."""
    shares_since: dict[str, float] = field(default_factory=dict)

    def is_exposed(self) -> bool:
        """Whether all of its routers show the candidate to somebody."""
        return bool(self.shares) and all(self.shares.values())

    def is_at_zero(self) -> bool:
        """Whether none of them does."""
        return not any(self.shares.values())

    def at_zero_since(self) -> float:
        """When the last of its routers came to where it is."""
        return max(self.shares_since.values())


class Sightings:
    """Of all Rollouts of the cluster, by namespace and name, while `watch` runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._seen: dict[tuple[str, str], Sighting] = {}
        self._news = asyncio.Event()

    def of(self, namespace: str, name: str) -> Sighting:
        """The Rollout's, an empty one before it is seen."""
        return self._seen.setdefault((namespace, name), Sighting())

    def every(self) -> Iterable[Sighting]:
        """All of them."""
        return self._seen.values()

    async def watch(self) -> None:
        """Go on looking until cancelled. Raises RefusedError when a watch ends."""
        async with asyncio.TaskGroup() as watches:
            for kind, see in (
                ("Rollout", self._rollout),
                ("ConfigMap", self._flags),
                ("HTTPRoute", self._route),
                (targets.KIND, self._target),
            ):
                watches.create_task(self._watch(kind, see))

    async def until(self, condition: Callable[[], bool], *, within: float, what: str) -> None:
        """Return as soon as the condition, which is to be about sightings, holds. Raises TimeoutError."""
        try:
            async with asyncio.timeout(within):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {within:.0f} s in vain until {what}") from None

    async def _watch(self, kind: str, see: Callable[[Document, float], None]) -> None:
        async for found in self._cluster.watch(kind):
            see(found, time.time())
            self._news.set()

    def _rollout(self, found: Document, at: float) -> None:
        sighting = self.of(found["metadata"]["namespace"], found["metadata"]["name"])
        status = found.get("status", {})
        sighting.phase = status.get("phase", "")
        sighting.attempt = status.get("attempt", {}).get("number", 0)
        stable = status.get("stable", {}).get("version", "")
        if "prompt" in found["spec"]:
            sighting.stable = stable
            self._version(sighting, found["spec"]["prompt"]["version"], at)
        elif stable:
            # What a target holds has a name of headgate's; here it goes by its content, which is never promoted.
            sighting.stable = targets.model(1)

    def _target(self, found: Document, at: float) -> None:
        metadata, predictor = found["metadata"], found["spec"]["predictor"]
        self._version(self.of(metadata["namespace"], metadata["name"]), predictor["model"]["storageUri"], at)
        if "canaryTrafficPercent" in predictor:
            self._share(metadata["namespace"], metadata["name"], FIELD, predictor["canaryTrafficPercent"], at)

    def _version(self, sighting: Sighting, version: str, at: float) -> None:
        if sighting.version != version:
            sighting.version, sighting.version_since = version, at

    def _flags(self, found: Document, at: float) -> None:
        for text in found.get("data", {}).values():
            document = json.loads(text) if found["metadata"]["name"].endswith("-flags") else {}
            for name, flag in document.get("flags", {}).items():
                self._share(found["metadata"]["namespace"], name, FLAG, candidates_share(flag), at)

    def _route(self, found: Document, at: float) -> None:
        metadata, rule = found["metadata"], found["spec"]["rules"][0]
        self._share(metadata["namespace"], metadata["name"], ROUTE, rule["backendRefs"][1]["weight"], at)

    def _share(self, namespace: str, name: str, router: str, share: int, at: float) -> None:
        sighting = self.of(namespace, name)
        if sighting.shares.get(router) != share:
            sighting.shares[router], sighting.shares_since[router] = share, at


def candidates_share(flag: Document) -> int:
    """The candidate's weight in a flagd flag as an evaluator reads it; 0 when no rule can lead to it."""
    rules = [flag.get("targeting") or flag["defaultVariant"]]
    while rules:
        rule = rules.pop()
        if rule == "candidate":
            return 100
        if isinstance(rule, dict) and "fractional" in rule:
            return sum(int(entry[1]) for entry in rule["fractional"][1:] if entry[0] == "candidate")
        if isinstance(rule, dict) and "if" in rule:
            rules += [*rule["if"][1::2], *rule["if"][-1:]]
    return 0
