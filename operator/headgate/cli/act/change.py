"""What a command would write into a Rollout, and how to see that the operator acted. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from headgate.api.rollout_status import Attempt, AttemptState
from headgate.cli.failures import CommandError
from headgate.cluster.objects import Json
from headgate.engine.observation import RolloutView


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``is_done`` tells from a later state whether the operator acted on it."""

    says: str
    """What was asked for, in one line for the person who did."""
    is_done: Callable[[RolloutView], bool]
    annotation: tuple[str, str] | None = None
    """An annotation's name and value."""
    spec: Json = field(default_factory=dict)
    """A merge patch of the spec; empty when it is left alone."""

    def body(self) -> Json:
        """The merge patch as a whole."""
        annotations: Json = {} if self.annotation is None else {self.annotation[0]: self.annotation[1]}
        body: Json = {"metadata": {"annotations": annotations}} if annotations else {}
        return {**body, "spec": self.spec} if self.spec else body


def attempt_in_flight(view: RolloutView) -> Attempt:
    """The attempt that can still be stopped or helped on. Raises CommandError, with the reason, when there is none."""
    attempt = view.status.attempt
    if attempt is None or attempt.state is AttemptState.ENDED:
        ended = ""
        if attempt is not None and attempt.outcome is not None:
            ended = f"; attempt {attempt.number} of {attempt.candidate.version} ended {attempt.outcome.value}"
        raise CommandError(f"{view.key}: no attempt is in flight{ended}")
    if attempt.state is AttemptState.ROLLING_BACK:
        tried = attempt.candidate.version
        raise CommandError(f"{view.key}: attempt {attempt.number} of {tried} is on its way back, which nothing stops")
    return attempt


def is_over(view: RolloutView, number: int) -> bool:
    """Whether the attempt of that number has ended, or a later one began."""
    attempt = view.status.attempt
    return attempt is None or attempt.number > number or attempt.state is AttemptState.ENDED


def is_observed(view: RolloutView, beyond: int) -> bool:
    """Whether the operator has seen a newer generation than that."""
    return view.status.observed_generation is not None and view.status.observed_generation > beyond
