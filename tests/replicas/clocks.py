"""Time as two machines see it: one true time, and clocks that are off and run too fast or too slow."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from headgate.cluster.lease import Lease
from headgate.cluster.objects import LEASE, Json, Kind, Unavailable
from tests.delivery.memory_cluster import MemoryCluster

_EPOCH = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Time:
    """The true time, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self, *, offset: float = 0.0, rate: float = 1.0) -> Callable[[], float]:
        return lambda: offset + rate * self.now


class Server(MemoryCluster):
    """What one replica reaches; its next write may take long, and its answer may be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.delay: Callable[[], None] = lambda: None
        self.loses_answer = False
        self.refusal: Exception | None = None

    def to_the_same(self) -> "Server":
        other = Server()
        other.objects, other._versions = self.objects, self._versions
        return other

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        if self.refusal is not None:
            raise self.refusal
        return await super().get(kind, namespace, name)

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        self.delay()
        answer = await super().merge_patch(kind, namespace, name, body, resource_version=resource_version)
        self.delay()
        if self.loses_answer:
            raise Unavailable("the answer was lost")
        return answer


class Replica:
    """One operator's Lease, with a clock of its own."""

    def __init__(
        self, name: str, time: Time, server: Server, *, offset: float = 0.0, rate: float = 1.0, years: int = 0
    ) -> None:
        self.server = server
        wall = time.clock()
        self.lease = Lease(
            server,
            "ai",
            "headgate",
            name,
            clock=time.clock(offset=offset, rate=rate),
            now=lambda: _EPOCH + timedelta(days=365 * years, seconds=wall()),
        )

    async def turn(self) -> float:
        return await self.lease.turn()

    def holds(self) -> bool:
        return self.lease.holds()


def spec(server: Server) -> Json:
    found = server.at(LEASE, "headgate")["spec"]
    assert isinstance(found, dict)
    return found
