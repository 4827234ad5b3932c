"""What headgate writes into a Rollout's status: the truth of an attempt, and what people read."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from headgate.api.conditions import KEYED_BY_TYPE, Condition, Timestamp
from headgate.api.model import StatusModel

Word = Annotated[str, StringConstraints(max_length=253)]
Sentence = Annotated[str, StringConstraints(max_length=1024)]
Digest = Annotated[str, StringConstraints(max_length=80)]
Figure = Annotated[str, StringConstraints(max_length=40)]


RecordedCount = Annotated[int, Field(ge=0, le=2**52)]
"""A count on record that a Rollout goes on from: half of what every reader of JSON has exactly is left to it."""


class Phase(StrEnum):
    """Where a Rollout stands, for people. Code decides by the attempt's state instead."""

    IDLE = "Idle"
    VERIFYING = "Verifying"
    SHADOWING = "Shadowing"
    PROGRESSING = "Progressing"
    HOLDING = "Holding"
    AWAITING_APPROVAL = "AwaitingApproval"
    PAUSED = "Paused"
    BAKING = "Baking"
    ROLLING_BACK = "RollingBack"
    ROLLED_BACK = "RolledBack"
    KILLED = "Killed"
    INVALID = "Invalid"


class AttemptState(StrEnum):
    """How far an attempt is; the engine's own truth."""

    VERIFYING = "Verifying"
    STEPPING = "Stepping"
    BAKING = "Baking"
    ROLLING_BACK = "RollingBack"
    ENDED = "Ended"


class Outcome(StrEnum):
    """How an attempt ended."""

    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"


class VerdictKind(StrEnum):
    """What the evidence for a check says."""

    PASS = "Pass"
    WARN = "Warn"
    FAIL = "Fail"
    BREACHING = "Breaching"
    UNDECIDED = "Undecided"
    NO_DATA = "NoData"
    ERROR = "Error"


class VersionRef(StatusModel):
    """A version, with the digest of its content."""

    version: Word
    """The PromptVersion's name, or that of the snapshot of a target."""
    digest: Digest
    """sha256 of its canonical JSON: the spec's, or the target's declared fields'."""


class TargetRef(StatusModel):
    """The object whose fields are the release, as it was when stable became so."""

    api_version: Annotated[str, StringConstraints(max_length=125)]
    """The group and version of its kind."""
    kind: Annotated[str, StringConstraints(max_length=63)]
    """Its kind."""
    name: Word
    """Its name."""
    uid: Annotated[str, StringConstraints(max_length=64)]
    """Which object of that name; another one has no history."""
    fields: Annotated[list[Word], Field(max_length=16)]
    """The fields that its versions are made of."""


class StableRef(VersionRef):
    """The last good version."""

    slot: Annotated[int, Field(ge=0, le=1)] = 0
    """Which of an httpRoute's two backends serves it: 0 the first, 1 the second."""
    target: TargetRef | None = None
    """The object that it is a version of, when it is no PromptVersion."""


class StepStatus(StatusModel):
    """The step that the attempt is in."""

    index: Annotated[int, Field(ge=0, le=31)]
    """Counted from 0."""
    name: Word
    """The step's name, or its weight."""
    started_at: Timestamp
    """When the step was entered."""
    delivered_at: Timestamp | None = None
    """When the routers were observed at its weight; the hold counts from here. Missing while that is not confirmed."""


class ApprovalRecord(StatusModel):
    """A person's agreement."""

    step: Word
    """The step that may be entered."""
    at: Timestamp
    """When headgate saw it."""


class PauseRecord(StatusModel):
    """A pause that a gate or an alert asked for; it ends with a resume or with the attempt."""

    at: Timestamp
    """Since when."""
    check: Word
    """The gate and check that asked, or alert/ and the alert's name."""
    reason: Sentence = ""
    """What was measured."""


class Attempt(StatusModel):
    """One try of one candidate. The last one stays here after its end."""

    number: Annotated[int, Field(ge=1)]
    """Counted per Rollout."""
    candidate: VersionRef
    """What is tried."""
    state: AttemptState
    """How far it is."""
    started_at: Timestamp
    """When it began."""
    step: StepStatus | None = None
    """The step that it is in; missing while verifying."""
    exposed_at: Timestamp | None = None
    """When the candidate was first observed to be exposed or shadowed."""
    baking_since: Timestamp | None = None
    """When the bake began."""
    approvals: Annotated[list[ApprovalRecord], Field(max_length=64)] = []
    """Who-may-enter records, one a step."""
    paused: PauseRecord | None = None
    """The pause that a gate or an alert asked for."""
    resumed: Word | None = None
    """The resume annotation that was last acted upon."""
    alerts: Annotated[list[Word], Field(max_length=16)] = []
    """The alerts that paused this attempt or were told of, newest first; none of them does so again."""
    promoted: Word | None = None
    """The promote annotation that was last acted upon; holds and missing evidence are waived until weight 100."""
    outcome: Outcome | None = None
    """How it ended."""
    reason: Sentence = ""
    """Why it is where it is, or why it ended."""
    manifest: Word | None = None
    """The immutable ConfigMap with what was frozen for this attempt."""
    ended_at: Timestamp | None = None
    """When it ended."""
    still_asked: bool | None = None
    """After it was taken back the spec was seen to ask for it still, or something else became stable: asking for stable
    then settles it."""


class VerdictRecord(StatusModel):
    """The last recorded verdict of one check."""

    gate: Word
    """The QualityGate."""
    check: Word
    """The check in it."""
    verdict: VerdictKind
    """Pass, Warn, Fail, Breaching, Undecided, NoData or Error."""
    since: Timestamp
    """Since when the verdict is this one; for Breaching, when the breach began."""
    step: Word | None = None
    """The step in which it was measured."""
    measured_at: Timestamp | None = None
    """When it was measured."""
    value: Figure | None = None
    """The candidate's value."""
    stable: Figure | None = None
    """Stable's value, for a comparison."""
    stable_at: Timestamp | None = None
    """When stable's value was measured; older than the verdict once stable no longer serves."""
    bound: Annotated[str, StringConstraints(max_length=80)] | None = None
    """The bound that decided."""
    samples: Annotated[int, Field(ge=0)] | None = None
    """The samples behind the value."""
    breaching_since: Timestamp | None = None
    """When the breach in hand began, moved on by the time that passed without data."""
    message: Sentence = ""
    """What to know, for people."""


class Rejection(StatusModel):
    """A digest that is not tried again until somebody says retry."""

    digest: Digest
    """The rejected content."""
    version: Word
    """The version's name then."""
    attempt: Annotated[int, Field(ge=1)]
    """The attempt in which it was rejected."""
    reason: Sentence
    """Why."""
    at: Timestamp
    """When."""
    ignored_retry: Word | None = None
    """The retry annotation that was there before it, or under the kill switch: it lifts nothing, another text does."""


class HistoryEntry(StatusModel):
    """An attempt that ended."""

    number: Annotated[int, Field(ge=1)]
    """The attempt."""
    version: Word
    """What was tried."""
    digest: Digest
    """Its content."""
    outcome: Outcome
    """How it ended."""
    reason: Sentence = ""
    """Why."""
    started_at: Timestamp
    """When it began."""
    ended_at: Timestamp
    """When it ended."""


class HookState(StrEnum):
    """How far a hook is that is run after a revert."""

    PENDING = "Pending"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class HookRecord(StatusModel):
    """A hook of one revert, as spec.rollback.after had it when that ended, and what became of it."""

    attempt: Annotated[int, Field(ge=1)]
    """The attempt that was taken back."""
    name: Annotated[str, StringConstraints(max_length=63)]
    """What spec.rollback.after calls it."""
    webhook: Annotated[str, StringConstraints(max_length=63)] | None = None
    """The webhook of the operator's configuration that is posted to."""
    cron_job: Word | None = None
    """The CronJob that the Job is made from."""
    timeout: Annotated[str, StringConstraints(max_length=40)]
    """How long it may take in all."""
    retries: Annotated[int, Field(ge=0)]
    """How often it is tried again."""
    stable: VersionRef
    """What everybody was back on."""
    state: HookState
    """Pending until it ended, however far it is; then Succeeded or Failed."""
    tries: Annotated[int, Field(ge=0)] = 0
    """How often it was posted, or its Job was to be made, since the operator last started."""
    message: Sentence = ""
    """What came of it, for people."""
    started_at: Timestamp | None = None
    """When it was begun, the last time that the operator had to."""
    ended_at: Timestamp | None = None
    """When it ended."""


class RolloutStatus(StatusModel):
    """Where a Rollout stands and why."""

    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    revision: Annotated[int, Field(ge=0)] = 0
    """Counts committed transitions; every router write carries it, and nobody overwrites a higher one."""
    phase: Phase | None = None
    """For people: Idle, Verifying, Shadowing, Progressing, Holding, AwaitingApproval, Paused, Baking,
    RollingBack, RolledBack, Killed or Invalid."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """The candidate's share now, in %; 0 with no attempt in flight."""
    stable: StableRef | None = None
    """The last good version."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """The number that the last attempt was given."""
    attempt: Attempt | None = None
    """The attempt in flight, or the last one."""
    verdicts: Annotated[list[VerdictRecord], Field(max_length=1024)] = []
    """The last recorded verdict of each check of this attempt."""
    rejected: Annotated[list[Rejection], Field(max_length=20)] = []
    """Digests that are not tried again."""
    history: Annotated[list[HistoryEntry], Field(max_length=10)] = []
    """The attempts that ended, newest first."""
    taken: Annotated[list[VersionRef], Field(max_length=50)] = []
    """Versions that were stable or tried before all of these, newest first: a name means one content for good."""
    after: Annotated[list[HookRecord], Field(max_length=24)] = []
    """What is run after reverts, those of the newest first."""
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=KEYED_BY_TYPE)] = []
    """Ready, Reconciling, Stalled, Paused, Delivered, EvidenceAvailable; HooksKnown where there are hooks."""

    @field_validator("phase", mode="before")
    @classmethod
    def _only_for_people(cls, phase: object) -> object:
        # A word of a newer release: nothing is read from it, so the status is not lost over it.
        return phase if phase is None or phase in set(Phase) else None
