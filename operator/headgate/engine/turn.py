"""decide()'s own scratch: what has been concluded so far in this one look. Never leaves the engine."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from headgate.api.conditions import rfc3339
from headgate.api.plain_text import plain
from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import Attempt, AttemptState, RolloutStatus, VersionRef
from headgate.engine.decision import Notice, NoticeKind, SpecRestore
from headgate.engine.evidence import Question
from headgate.engine.observation import Memory, Observation
from headgate.engine.plan import Plan, Record

FLIGHT = frozenset({AttemptState.VERIFYING, AttemptState.STEPPING, AttemptState.BAKING})
"""The states of an attempt from which it can still be taken back."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stalls a Rollout until a person acts: a word for programs, a sentence for people."""

    reason: str
    message: str
    invalid: bool = True
    """Whether the Rollout cannot be carried out as it is written."""


@dataclass(slots=True)
class Turn:
    """One look being thought through."""

    observation: Observation
    now: datetime
    status: RolloutStatus
    memory: Memory
    transition: bool = False
    """Whether something happened that must be committed and counted."""
    manifest: Plan | None = None
    record: Record | None = None
    restore: SpecRestore | None = None
    notices: list[Notice] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    dues: list[datetime] = field(default_factory=list)
    urgent: bool = False
    waits: str = ""
    """What the attempt waits for, in words; empty while it only waits for its hold."""
    awaiting: str | None = None
    """The step that waits for an approval alone."""
    blocked_since: datetime | None = None
    """Since when gates alone hold the step back."""
    problem: Problem | None = None
    let_go: bool = False
    """Whether what was rolled back is not asked for any more, because whoever asked for it still has let it go."""
    pending: bool = False
    """Whether the version that the spec names may still turn up; nothing rises until then."""

    @property
    def attempt(self) -> Attempt | None:
        """The attempt in flight or the last one."""
        return self.status.attempt

    @property
    def state(self) -> AttemptState:
        """How far the attempt is; Ended where there was none yet."""
        return self.status.attempt.state if self.status.attempt else AttemptState.ENDED

    @property
    def in_flight(self) -> bool:
        """Whether an attempt can still be taken back."""
        return self.state in FLIGHT

    @property
    def killed(self) -> bool:
        """Whether the kill switch is turned."""
        return self.observation.rollout.orders.kill_switch is not KillSwitch.OFF

    @property
    def flight(self) -> Attempt:
        """The attempt, where there must be one."""
        if self.status.attempt is None:
            raise AssertionError("there is no attempt")
        return self.status.attempt

    @property
    def plan(self) -> Plan:
        """What was frozen for the attempt, where it must be known."""
        plan = self.manifest or self.observation.plan
        if plan is None:
            raise AssertionError("there is no manifest")
        return plan

    def change(self, **fields: object) -> None:
        """Changes fields of the status."""
        self.status = self.status.model_copy(update=fields)

    def change_attempt(self, **fields: object) -> None:
        """Changes fields of the attempt."""
        self.change(attempt=self.flight.model_copy(update=fields))

    def remember(self, **fields: object) -> None:
        """Changes fields of the memory."""
        self.memory = replace(self.memory, **fields)  # type: ignore[arg-type]  # names are checked by replace itself

    def happened(self, reason: str, message: str, kind: NoticeKind = NoticeKind.NORMAL) -> None:
        """Something that must be committed and that people should hear of."""
        self.transition = True
        self.tell(reason, message, kind)

    def tell(self, reason: str, message: str, kind: NoticeKind = NoticeKind.NORMAL) -> None:
        """Something that people should hear of."""
        self.notices.append(Notice(reason, plain(message[:1000]), kind))

    def wake(self, moment: datetime) -> None:
        """Look again at that moment at the latest."""
        self.dues.append(moment)

    @property
    def due(self) -> datetime | None:
        """When to look again at the latest; None: when something happens."""
        return min((moment for moment in self.dues if moment > self.now), default=None)

    def is_put_off(self, until: datetime, longest: timedelta) -> bool:
        """Whether a pause of at most ``longest`` still lasts. An end further off is of a clock that was put back."""
        return self.now < until <= self.now + longest

    def stall(self, reason: str, message: str, *, invalid: bool = True) -> None:
        """Nothing goes on until a person acts. The first reason counts."""
        if self.problem is None:
            self.problem = Problem(reason, plain(message[:1000]), invalid)


def named(version: VersionRef) -> str:
    """A version as messages name it."""
    return f"{version.version} ({version.digest[:19]})"


def moment(at: datetime) -> str:
    """A moment as messages name it."""
    return rfc3339(at)
