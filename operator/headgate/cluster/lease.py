"""One Lease that at most one process holds at a time. Knows what time it is only by the clock that it is given.

Whether a holder is gone is judged by how long *this* process has seen the Lease unchanged, never by the times written
in it, so that clocks may differ. Every write is conditional on the state that was read.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headgate.cluster import shape
from headgate.cluster.objects import (
    LEASE,
    AlreadyExists,
    ClusterError,
    Conflict,
    Json,
    JsonValue,
    NotFound,
    NotLeading,
    Objects,
    Refused,
)

_LONGEST = 60
"""The longest promise of another holder that is believed, in seconds: nobody locks the others out for good."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long what lasts, in seconds."""

    duration: float = 10.0
    """A holder that nobody has seen renew for so long is taken to be gone."""
    validity: float = 7.0
    """A holder writes for so long after it sent a renewal that was granted; what it sent last has arrived by then."""
    renewal: float = 3.0
    look: float = 2.0
    """Between two looks of one who waits."""
    retry: float = 0.5
    answer: float = 2.0
    """How long an answer of the API server is waited for."""


@dataclass(frozen=True, slots=True)
class _Sighting:
    """The Lease as it was read, and when this state of it was read first."""

    version: str
    holder: str
    transitions: int
    patience: float
    at: float


class Lease:
    """Waits for the Lease, renews it, and gives it back."""

    def __init__(
        self,
        objects: Objects,
        namespace: str,
        name: str,
        holder: str,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        terms: Terms | None = None,
    ) -> None:
        """``holder`` names this process and no other, not even its successor; ``now`` is shown to people only."""
        self._objects = objects
        self._namespace = namespace
        self._name = name
        self._holder = holder
        self._clock = clock
        self._now = now
        self._terms = terms or Terms()
        self._seen: _Sighting | None = None
        self._mine: _Sighting | None = None
        self._until = 0.0
        self.problem: str | None = None
        """Why the Lease cannot be had, in one line, where a person must act."""

    def holds(self) -> bool:
        """Whether this process holds the Lease, and may write, at this moment. Asks nobody."""
        return self._mine is not None and self._clock() < self._until

    async def acquire(self) -> None:
        """Returns when this process holds the Lease."""
        while True:
            pause = await self.turn()
            if self._mine is not None:
                return
            await asyncio.sleep(pause)

    async def keep(self) -> None:
        """Renews. Raises NotLeading when somebody else has it; never returns."""
        pause = self._terms.renewal
        while True:
            await asyncio.sleep(pause)
            pause = await self.turn()

    async def release(self) -> None:
        """Writes no more, and lets the next one begin without waiting."""
        mine, self._mine = self._mine, None
        if mine is None:
            return
        try:
            async with asyncio.timeout(self._terms.answer):
                try:
                    await self._patch(mine.version, {"holderIdentity": None})
                except Conflict:
                    # A renewal that was granted and not answered.
                    found = await self._look()
                    if self._is_mine(found, mine):
                        await self._patch(found.version, {"holderIdentity": None})
        except (ClusterError, TimeoutError):
            return  # the next one waits until it is over

    async def turn(self) -> float:
        """Renews it, or takes it where nobody has it; seconds until the next turn. Raises NotLeading."""
        try:
            async with asyncio.timeout(self._terms.answer):
                pause = await (self._campaign() if self._mine is None else self._renew(self._mine))
        except NotLeading:
            raise
        except (Refused, NotFound) as error:
            self.problem = f"Lease {self._namespace}/{self._name} cannot be held: {error}"
            return self._terms.look
        except (ClusterError, TimeoutError):
            return self._terms.retry
        self.problem = None
        return pause

    async def _campaign(self) -> float:
        try:
            found = await self._look()
        except NotFound:
            if self._seen is not None and self._remaining(self._seen) > 0:
                # Deleted under a holder that may live.
                return min(self._terms.look, self._remaining(self._seen))
            return await self._take(None)
        remaining = self._remaining(found) if found.holder else 0.0
        if remaining > 0:
            return min(self._terms.look, remaining)
        return await self._take(found)

    async def _take(self, found: _Sighting | None) -> float:
        sent, now = self._clock(), _rfc3339_micro(self._now())
        spec = {
            **self._renewed(now),
            "holderIdentity": self._holder,
            "acquireTime": now,
            "leaseTransitions": found.transitions + 1 if found is not None else 0,
        }
        try:
            raw = await (self._create(spec) if found is None else self._patch(found.version, spec))
        except (Conflict, AlreadyExists):
            return self._terms.retry
        return self._granted(raw, sent)

    async def _renew(self, mine: _Sighting) -> float:
        sent = self._clock()
        spec = {**self._renewed(_rfc3339_micro(self._now())), "holderIdentity": self._holder}
        try:
            raw = await self._patch(mine.version, spec)
        except (Conflict, NotFound):
            await self._ascertain(mine)
            return 0.0
        return self._granted(raw, sent)

    async def _ascertain(self, mine: _Sighting) -> None:
        """Goes on from what is there, where that is this very tenure still. Raises NotLeading."""
        try:
            found = await self._look()
        except NotFound:
            found = None
        if found is None or not self._is_mine(found, mine):
            self._mine = None
            holder = (found.holder if found is not None else "") or "nobody"
            raise NotLeading(f"Lease {self._namespace}/{self._name}: {holder} has it now; this process ends")
        self._mine = found

    def _is_mine(self, found: _Sighting, mine: _Sighting) -> bool:
        return (found.holder, found.transitions) == (self._holder, mine.transitions)

    def _granted(self, raw: Json, sent: float) -> float:
        self._mine = self._sighted(raw)
        self._until = sent + self._terms.validity
        return max(0.0, sent + self._terms.renewal - self._clock())

    async def _look(self) -> _Sighting:
        found = self._sighted(await self._objects.get(LEASE, self._namespace, self._name))
        if self._seen is None or self._seen.version != found.version:
            self._seen = found
        return self._seen

    def _remaining(self, seen: _Sighting) -> float:
        return seen.at + seen.patience - self._clock()

    def _sighted(self, raw: Json) -> _Sighting:
        metadata, spec = shape.mapping(raw.get("metadata")), shape.mapping(raw.get("spec"))
        holder, version = spec.get("holderIdentity"), metadata.get("resourceVersion")
        promised = _whole(spec.get("leaseDurationSeconds"))
        return _Sighting(
            version=version if isinstance(version, str) else "",
            holder=holder if isinstance(holder, str) else "",
            transitions=_whole(spec.get("leaseTransitions")) or 0,
            # What the holder promised counts: another release of headgate may have other terms.
            patience=min(promised, _LONGEST) if promised else self._terms.duration,
            at=self._clock(),
        )

    def _renewed(self, now: str) -> Json:
        return {"renewTime": now, "leaseDurationSeconds": round(self._terms.duration)}

    async def _create(self, spec: Json) -> Json:
        body: Json = {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {"name": self._name, "labels": {"app.kubernetes.io/managed-by": "headgate"}},
            "spec": spec,
        }
        return await self._objects.create(LEASE, self._namespace, body)

    async def _patch(self, version: str, spec: Json) -> Json:
        return await self._objects.merge_patch(
            LEASE, self._namespace, self._name, {"spec": spec}, resource_version=version
        )


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _rfc3339_micro(moment: datetime) -> str:
    """As the Lease's MicroTime wants it: six digits of a second, always."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
