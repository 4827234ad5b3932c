"""Whether Rollouts can be judged by a QualityGate, said in its Ready condition before any rollout starts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from headgate.api.configuration import Configuration
from headgate.api.quality_gate import QualityGateStatus
from headgate.cluster.objects import QUALITY_GATE, Objects
from headgate.cluster.store import Store
from headgate.cluster.views import GateEntry
from headgate.controller.readiness import ready
from headgate.controller.status_writing import write_status
from headgate.engine.observation import GateView, Key
from headgate.evidence.measure import source_problem
from headgate.evidence.queries import problems


@dataclass(frozen=True, slots=True)
class GateJudge:
    """Adds to a gate's view why Rollouts cannot be judged by it: its source, its queries."""

    configuration: Configuration

    def __call__(self, entry: GateEntry, namespace: str) -> GateView:
        """The view with what is wrong, in one line, or as it is."""
        spec = entry.view.spec
        if spec is None:
            return entry.view
        found = problems(spec)
        by_source = source_problem(self.configuration, spec, namespace) if not found else None
        found = found if by_source is None else [f"spec.source: {by_source}"]
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return replace(entry.view, error=f"{found[0]}{more}")
        return entry.view


class GateUpkeep:
    """Writes a gate's status when it is not what it should be."""

    def __init__(self, store: Store, objects: Objects, now: Callable[[], datetime]) -> None:
        self._store = store
        self._objects = objects
        self._now = now

    async def look(self, key: Key) -> datetime | None:
        """One look at one gate. Raises ClusterError when the status could not be written."""
        entry = self._store.gates.get(key)
        if entry is None or entry.identity.deleting:
            return None
        generation = entry.identity.generation
        wanted = QualityGateStatus(
            observed_generation=generation,
            conditions=ready(
                entry.status.conditions,
                now=self._now(),
                generation=generation,
                problem=entry.view.error,
                reason="InvalidGate",
                message="Rollouts can be judged by this gate",
            ),
        )
        written = await write_status(self._objects, QUALITY_GATE, entry.identity, entry.status, wanted)
        if written is not None:
            self._store.saw_gate(written)
        return None
