"""What decide() answers: the next status, what the world must be made to match, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headgate.api.rollout import Delivery
from headgate.api.rollout_status import RolloutStatus, TargetRef
from headgate.engine.evidence import Question
from headgate.engine.hooks import DueHook
from headgate.engine.observation import Memory
from headgate.engine.plan import Plan, Record
from headgate.engine.routing import Routing


class NoticeKind(StrEnum):
    """How loud a notice is; the Event's type."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened and that people should hear of: an Event, a log line, a notification."""

    reason: str
    """One CamelCase word, distinct for each kind of happening."""
    message: str
    kind: NoticeKind = NoticeKind.NORMAL


@dataclass(frozen=True, slots=True)
class SpecRestore:
    """Put back what is released, provided that it still is the rejected version: spec.prompt.version, or a target."""

    attempt: int
    rejected: str
    restored: str
    family: "FamilyRestore | None" = None
    """What goes back with spec.prompt.version, where the two are of different families, as far as is known."""
    target: "TargetRestore | None" = None
    """The object whose fields are put back; None for spec.prompt.version."""


@dataclass(frozen=True, slots=True)
class FamilyRestore:
    """spec.prompt.family: what the spec names with the rejected version, and stable's."""

    rejected: str
    restored: str


@dataclass(frozen=True, slots=True)
class TargetRestore:
    """Which object, from which content to which; the names are those of snapshots."""

    ref: TargetRef
    rejected_digest: str
    restored_digest: str
    waits_for: tuple[Delivery, ...] = ()
    """Deliveries whose reader must have gone back to stable first, where it tells."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from one observation. Carried out in the order of the fields."""

    manifest: Plan | None
    """To be created before the commit; exists already after a crash, which is as good."""
    status: RolloutStatus
    """The whole next status."""
    commit: bool
    """Whether the status is written now."""
    routing: Routing | None
    """What every router of ``routes`` must show once the commit is through; None while nothing is known."""
    routes: tuple[Delivery, ...]
    deliver: frozenset[str]
    """The ids of the routers that are to be written now."""
    record: Record | None
    """To be written before the commit; where ``urgent``, after delivery: the way back waits for nothing."""
    restore: SpecRestore | None
    """To be done after delivery."""
    notices: tuple[Notice, ...]
    questions: tuple[Question, ...]
    """What should be measured before deciding again; empty when a measurement changes nothing now.

    Beside a commit it is measured only where the commit fails: what has happened comes first.
    """
    due: datetime | None
    """When to look again at the latest; None: only when something changes."""
    memory: Memory
    hooks: tuple[DueHook, ...] = ()
    """What must be running beside all this because of reverts that were committed before; no other hook may be."""
    urgent: bool = False
    """A way back: deliver weight 0 even when the commit keeps failing."""
    reread: bool = False
    """Nothing was decided: read the Rollout, its record and its routers afresh, and decide with ``fresh``."""
