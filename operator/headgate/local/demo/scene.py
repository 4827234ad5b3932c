"""Everything that the demo has seen so far, for its story to wait on and for its view to draw. Asks nobody anything."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headgate.api.rollout_status import Outcome, Phase, RolloutStatus
from headgate.local.demo.tally import Tally
from headgate.local.errors import LocalError

_LONGEST_WAIT = 0.2


class StoryFailed(LocalError):
    """The demo did not show what it is there to show."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The Rollout at one transition."""

    at: float
    """Seconds since the epoch."""
    version: str
    """What spec.prompt.version named."""
    phase: Phase | None
    weight: int
    attempt: int
    """0 before the first."""
    candidate: str
    """Empty before the first attempt."""
    outcome: Outcome | None
    stable: str
    """Empty before the first version is stable."""

    def is_news_after(self, earlier: "Moment | None") -> bool:
        """Whether it differs from an earlier one in more than its time."""
        return earlier is None or replace(earlier, at=self.at) != self


@dataclass(frozen=True, slots=True)
class Happening:
    """An Event, or a line that the story itself tells."""

    at: float
    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest values of one check, by the operator's metrics."""

    candidate: float | None = None
    stable: float | None = None


@dataclass(slots=True)
class Scene:
    """What is known now, and what led to it."""

    began: float = field(default_factory=time.time)
    act: str = ""
    waiting_for: str = ""
    version: str = ""
    """What spec.prompt.version names."""
    status: RolloutStatus = field(default_factory=RolloutStatus)
    moments: list[Moment] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    companies_at: dict[tuple[int, int], int] = field(default_factory=dict)
    """Companies that the service gave the candidate, by attempt and weight; as last counted at that weight."""
    measured: Mapping[str, Measured] = field(default_factory=dict)
    """By check."""
    bounds: Mapping[str, str] = field(default_factory=dict)
    """What each check is held against, by check."""
    happenings: list[Happening] = field(default_factory=list)
    breach_to_revert: float | None = None
    """Seconds, by the operator's own metrics."""
    _measured_for: int = 0
    _outdated: Mapping[str, Measured] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def elapsed(self) -> float:
        """Seconds since the demo began."""
        return time.time() - self.began

    def saw_rollout(self, version: str, status: RolloutStatus) -> None:
        """The Rollout was observed."""
        self.version, self.status = version, status
        attempt = status.attempt
        if attempt is not None and attempt.number != self._measured_for:
            self._measured_for, self._outdated, self.measured = attempt.number, None, {}
        moment = Moment(
            at=time.time(),
            version=version,
            phase=status.phase,
            weight=status.weight,
            attempt=attempt.number if attempt else 0,
            candidate=attempt.candidate.version if attempt else "",
            outcome=attempt.outcome if attempt else None,
            stable=status.stable.version if status.stable else "",
        )
        if moment.is_news_after(self.moments[-1] if self.moments else None):
            self.moments.append(moment)
        self._tell()

    def saw_tally(self, tally: Tally) -> None:
        """The service told whom it served."""
        self.tally = tally
        attempt = self.status.attempt
        if attempt is not None and attempt.outcome is None and self.status.weight:
            self.companies_at[attempt.number, self.status.weight] = tally.on(attempt.candidate.version)
        self._tell()

    def saw_measured(self, measured: Mapping[str, Measured], breach_to_revert: float | None) -> None:
        """The operator told what it measured."""
        # The operator's metrics keep the last attempt's values until this one is measured.
        if self._outdated is None:
            self._outdated = measured
        self.measured = {check: value for check, value in measured.items() if value != self._outdated.get(check)}
        self.breach_to_revert = breach_to_revert
        self._tell()

    def saw_happening(self, happening: Happening) -> None:
        """Something happened that people should hear of."""
        self.happenings.append(happening)
        self._tell()

    def begin(self, act: str) -> None:
        """The next act begins."""
        self.act = act
        self.saw_happening(Happening(time.time(), "Demo", act))

    def first(self, attempt: int, condition: Callable[[Moment], bool]) -> Moment | None:
        """The first moment of this attempt at which the condition held."""
        return next((moment for moment in self.moments if moment.attempt == attempt and condition(moment)), None)

    def weights_of(self, attempt: int) -> Sequence[int]:
        """The weights that the candidate had in this attempt, in order, 0 left out."""
        weights: list[int] = []
        for moment in self.moments:
            if moment.attempt == attempt and moment.weight and moment.weight not in weights[-1:]:
                weights.append(moment.weight)
        return weights

    async def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; `what` tells people what is waited for."""
        self.waiting_for = what
        while not condition():
            # Some conditions look at more than the scene, which nobody tells of. Not wait_for: in Python 3.11 it loses
            # a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_WAIT):
                    await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
