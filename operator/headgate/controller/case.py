"""What the controller holds of one Rollout between looks. Losing it costs a measurement, never safety."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from headgate.engine.alert_note import AlertNote
from headgate.engine.decision import Decision
from headgate.engine.evidence import Look
from headgate.engine.hooks import HookResult
from headgate.engine.observation import Memory, Observation, RolloutView


@dataclass(slots=True)
class Case:
    """One Rollout, by UID: of two of the same name the second begins with an empty case."""

    uid: str
    memory: Memory = field(default_factory=Memory)
    look: Look | None = None
    """Evidence that was measured and not yet decided on; it is kept until the decision is carried out."""
    measuring: asyncio.Task[None] | None = None
    failures: int = 0
    """How often in a row something could not be carried out."""
    failing_since: datetime | None = None
    """Since when; None while all is well."""
    refusal: str = ""
    """What people were told last of why something is refused; empty once something was carried out."""
    is_stuck: bool = False
    """Whether all was carried out but for routers, which a person must mend first, or which are not answered for."""
    told_to_wait: float = 0.0
    """For how many seconds the API server, which could not carry it out, asked to be left alone."""
    unfinished: tuple[Observation, Decision] | None = None
    """A way back that may have reached routers before its commit; the very same is committed, not another."""
    commit_failures: int = 0
    """How often in a row a status could not be written."""
    released: int = 0
    """The last attempt after whose revert headgate was seen to own no field of the spec."""
    breached_at: datetime | None = None
    """When the evidence that began a way back was measured; until every router was put at 0."""
    unstored_alert: AlertNote | None = None
    """The last alert that takes an attempt back and could not be stored on the Rollout."""
    account: tuple[int, str | None] | None = None
    """As whom the routers of an attempt were written last, by the record; known only while the spec does not say."""
    hooks: dict[tuple[int, str], asyncio.Task[None]] = field(default_factory=dict)
    """By attempt and name, the hooks that run after earlier reverts."""
    hook_results: dict[tuple[int, str], HookResult] = field(default_factory=dict)
    """By attempt and name, how hooks ended that the committed status still calls pending."""

    def went_well(self) -> None:
        """Something was carried out, or nothing was left to do."""
        self.failures, self.failing_since, self.refusal = 0, None, ""

    def went_badly(self, now: datetime) -> None:
        """Something did not answer, or was refused without a word of it in the status."""
        self.failures += 1
        self.failing_since = min(self.failing_since or now, now)

    def drop_measurement(self) -> None:
        """The evidence is no longer about what goes on."""
        if self.measuring is not None:
            self.measuring.cancel()
            self.measuring = None
        self.look = None

    def close(self) -> None:
        """Nothing goes on for this Rollout any more."""
        self.drop_measurement()
        for task in self.hooks.values():
            task.cancel()
        self.hooks.clear()


@dataclass(slots=True)
class Departed:
    """A Rollout that is gone and whose routers are still to be put at stable."""

    view: RolloutView
    case: Case
