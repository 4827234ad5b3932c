"""What is frozen for an attempt, so that edits to steps, gates and deliveries count from the next one."""

import hashlib
from datetime import datetime

from headgate.api.conditions import Timestamp
from headgate.api.model import StatusModel
from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import Delivery, GateReference, Step
from headgate.api.rollout_status import Digest, RecordedCount, Rejection, StableRef, VersionRef, Word


class FrozenPayload(StatusModel):
    """The settings of a version that routers show, so that a revert needs no PromptVersion."""

    compiled: str | None = None
    model: str | None = None
    seed: int | None = None
    temperature: str | None = None


class FrozenVersion(VersionRef):
    """A version with its payload."""

    payload: FrozenPayload | None = None


class Plan(StatusModel):
    """The manifest of one attempt: immutable once written."""

    rollout: str
    namespace: str
    uid: str
    generation: int
    """The generation of the spec that it was taken from."""
    attempt: int
    created_at: Timestamp
    stable: FrozenVersion
    stable_slot: int = 0
    candidate: FrozenVersion
    steps: list[Step]
    gates: list[GateReference]
    gate_specs: dict[str, QualityGateSpec]
    delivery: list[Delivery]
    bake_for: str | None = None
    progress_deadline: str | None = None
    service_account_name: str | None = None
    """As whom the routers were written when it was taken; counts while the spec names nobody that can be read."""

    @property
    def name(self) -> str:
        """The ConfigMap's name: rollout, attempt and a digest of the content, so that two never share one."""
        digest = hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
        return f"{self.rollout}-attempt-{self.attempt}-{digest[:8]}"

    def references_in(self, step_index: int | None) -> list[GateReference]:
        """The gates that judge a step, or the bake for None: spec.gates where it exposes or shadows, then its own."""
        if step_index is None:
            return list(self.gates)
        step = self.steps[step_index]
        return [*(self.gates if step.is_judged else []), *step.gates]

    def period_of(self, gate: str) -> str:
        """How often a gate is measured, as a duration."""
        return self.gate_specs[gate].period


class Record(StatusModel):
    """What outlives a Rollout of this name, so that re-creating it never exposes anybody to a rejected version."""

    stable: StableRef | None = None
    revision: RecordedCount = 0
    attempt: RecordedCount = 0
    """The number of the last attempt, be it of an earlier Rollout of this name."""
    rejected: list[Rejection] = []
    versions: dict[Word, Digest] = {}
    """Names that were ever stable or tried, as far as is known, with their digest then; the newest last."""
    service_account_name: str | None = None
    """As whom its routers are put at stable when the Rollout is gone; headgate itself when missing."""
    written_at: datetime | None = None

    def beside(self, other: "Record") -> "Record":
        """This record with what one of the same revision has rejected besides: of neither is known which is right."""
        known = {rejection.digest for rejection in self.rejected} | ({self.stable.digest} if self.stable else set())
        more = [rejection for rejection in other.rejected if rejection.digest not in known]
        return self.model_copy(update={"rejected": [*self.rejected, *more]})
