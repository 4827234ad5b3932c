"""Everything that decide() may look at, as plain values. Knows no client, no store and no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import Delivery, RolloutSpec
from headgate.api.rollout_status import PauseRecord, RolloutStatus, TargetRef
from headgate.engine.alert_note import AlertNote
from headgate.engine.content import Content
from headgate.engine.evidence import Look
from headgate.engine.hooks import HookResult
from headgate.engine.orders import NO_ORDERS, Orders, orders_of
from headgate.engine.plan import Plan, Record
from headgate.engine.routing import Payload, RouterState, Routing


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A Rollout as the API server last showed it."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created_at: datetime
    annotations: Mapping[str, str]
    """Only those that begin with ``headgate.dev/``."""
    spec: RolloutSpec | None
    """None when the spec cannot be read; ``spec_error`` then says why."""
    status: RolloutStatus
    unread: Mapping[str, object] = field(default_factory=dict)
    """What stands in the status and cannot be read; the next commit does away with it."""
    spec_error: str | None = None
    salvaged: Orders = NO_ORDERS
    """The orders of a spec that cannot be read as a whole, as far as they can be."""
    deleting: bool = False
    keeper: str | None = None
    """The GitOps controller that applies it from Git, as people call it; None when nobody is seen to."""
    marked: tuple[Delivery, ...] | None = None
    """The routers that carry its marks, looked for where an attempt in flight has no manifest any more; else None."""

    @property
    def orders(self) -> Orders:
        """What counts at once, whether or not the whole spec can be read."""
        return orders_of(self.spec) if self.spec is not None else self.salvaged

    @property
    def key(self) -> "Key":
        """Namespace and name."""
        return Key(self.namespace, self.name)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names one object of a kind."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class VersionView:
    """A PromptVersion as the store knows it."""

    name: str
    uid: str
    family: str
    digest: str
    payload: Payload
    ready: bool
    """Whether the compiled ConfigMap exists."""
    error: str | None = None
    """Why it cannot be used, in one line."""


@dataclass(frozen=True, slots=True)
class TargetView:
    """The object that spec.target names, or why there is none to be seen. The fields are stable's while it has some."""

    ref: TargetRef | None = None
    """Which object it is and which of its fields were read; None when it is not to be seen."""
    version: VersionView | None = None
    """What it holds now."""
    content: Content | None = None
    rebased: VersionView | None = None
    """What it holds, by the fields that the spec declares now, where those are others than stable's."""
    rebased_ref: TargetRef | None = None
    rebased_content: Content | None = None
    generation: int = 0
    reason: str = ""
    """Why it cannot be used, as a word: TargetNotAllowed, TargetNotServed or TargetNotFound."""
    message: str = ""
    """The same for people, in one line with the way out."""
    keeper: str | None = None
    """The GitOps controller that applies the object from Git; None when nobody is seen to."""


@dataclass(frozen=True, slots=True)
class Unrestored:
    """A restore of the spec that did not work, or a snapshot without which none would."""

    attempt: int
    """The attempt that is taken back; 0 when none may begin."""
    reason: str
    """As a word: SnapshotTampered, SnapshotGone, SnapshotRefused, RecordRefused, RestoreRefused, AccountForbidden."""
    message: str
    tries: int
    not_before: datetime
    """When it is tried again."""
    account: str | None = None
    """The ServiceAccount that it was tried as; None for the operator itself."""


@dataclass(frozen=True, slots=True)
class RouterRefusal:
    """The API server would not have the last write of a router, or has not answered for long."""

    account: str | None
    """The ServiceAccount in whose name it was; None for the operator itself."""
    reason: str
    """As a word: AccountForbidden or WriteRefused."""
    message: str
    """The server's words, and what to do, in one line."""
    tries: int
    not_before: datetime
    """When it is tried again."""


@dataclass(frozen=True, slots=True)
class GateView:
    """A QualityGate as the store knows it."""

    name: str
    spec: QualityGateSpec | None
    error: str | None = None
    """Why Rollouts cannot be judged by it, in one line; None when it is Ready."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How often a router has been corrected lately."""

    corrections: int = 0
    exposed: bool = False
    """One of those corrections was of more exposure than was committed; only such ones put the next such one off."""
    not_before: datetime | None = None
    """When it may be corrected again."""
    lowered: bool = False
    """A foreign write lowered exposure and is corrected once."""
    righted: bool = False
    """That correction was seen to have arrived: a second lowering is left alone, and the attempt is held."""
    found: str = ""
    """What was last found instead, and who wrote it, in words."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What decide() carries from one look to the next; losing it costs a measurement, never safety."""

    working: RolloutStatus | None = None
    """The status with what is not worth a write of its own yet; counts while the committed one is what it grew from."""
    grown_from: RolloutStatus | None = None
    """That committed status."""
    late_since: datetime | None = None
    """Since when the spec names a version that is missing or not compiled."""
    unwritten_since: datetime | None = None
    """Since when the working status holds something that people may be waiting to read."""
    measured: Mapping[str, datetime] = field(default_factory=dict)
    """When each gate was last measured."""
    verdicts_written_at: datetime | None = None
    resumed_at: datetime | None = None
    """When somebody last resumed; the breach that went on then pauses no second time."""
    failing: tuple[int, str] | None = None
    """The attempt and reason of a critical Fail that was seen and not yet committed."""
    pausing: tuple[int, PauseRecord] | None = None
    """The attempt and the pause of a breach that was seen, until somebody resumes."""
    drift: Mapping[str, Drift] = field(default_factory=dict)
    shown: Mapping[str, tuple[Routing, Delivery]] = field(default_factory=dict)
    """By router id, what it was last seen to show, the revision aside; a later difference is drift."""
    tried: Mapping[str, tuple[Routing, Delivery]] = field(default_factory=dict)
    """By router id, what it was last to be written to show."""
    restored: int | None = None
    """Set by the controller: the attempt whose spec restore was carried out or found needless (its test failed)."""
    unrestored: Unrestored | None = None
    """Set by the controller: why the spec restore did not work, until it does."""
    refused: Mapping[str, RouterRefusal] = field(default_factory=dict)
    """Set by the controller: by router id, why its last write was refused, until one is not."""
    account_recorded: str | None = None
    """Set by the controller: the ServiceAccount that the record was last written with."""
    unkept: Unrestored | None = None
    """Set by the controller: why nothing can be tried, since there would be no way back to what is stable."""
    recorded: int | None = None
    """Set by the controller: the status.revision that was in hand when the record was last written."""
    astray_since: datetime | None = None
    """Since when routers that had shown the step's weight show something else: no time of its hold."""
    leaving: bool = False
    """The Rollout was seen to be deleted."""
    restoring_until: datetime | None = None
    """Until when the target of a Rollout that was deleted is tried to be put back."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one Rollout and at everything around it."""

    rollout: RolloutView
    versions: Mapping[str, VersionView]
    """The PromptVersions that its spec and status name, those that exist."""
    gates: Mapping[str, GateView]
    """The QualityGates that its spec names, those that exist."""
    target: TargetView | None = None
    """The object that the spec releases, when it is no prompt's version."""
    plan: Plan | None = None
    """The manifest of the attempt that the status names; None when there is none or it is gone."""
    record: Record | None = None
    """What outlived an earlier Rollout of this name; only there when ``fresh``."""
    fresh: bool = False
    """The Rollout, its record and its routers were read afresh in this look, because decide() asked for it."""
    routers: Mapping[str, RouterState] = field(default_factory=dict)
    """By router id, against the routing that ``desired_routing`` gave for this look; missing means not looked at."""
    look: Look | None = None
    """What was measured in this look; None before measuring."""
    unstored_alert: AlertNote | None = None
    """An alert that takes the attempt that it names back, and could not be stored on the Rollout."""
    account_required: bool = False
    """Whether the configuration wants a ServiceAccount named in every spec."""
    claimed_by: Mapping[str, str] = field(default_factory=dict)
    """Router id → the older Rollout that has it."""
    hook_results: Mapping[tuple[int, str], HookResult] = field(default_factory=dict)
    """By attempt and name, how hooks ended that the status may still call pending."""
    hook_problems: Mapping[str, str] = field(default_factory=dict)
    """By name, why a hook of the spec cannot be run, in one line."""
    memory: Memory = field(default_factory=Memory)
