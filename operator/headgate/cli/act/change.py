"""What a command would write into a Rollout, and how to see that the operator acted. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from headgate.api.rollout_status import Attempt, AttemptState, Outcome
from headgate.cli.failures import CommandError
from headgate.cluster.objects import Json, JsonValue
from headgate.engine.observation import RolloutView


@dataclass(frozen=True, slots=True)
class Change:
    """One write, or none where the wish is fulfilled. ``is_done`` tells from a later state if the operator acted."""

    says: str
    """What was asked for, in one line for the person who did."""
    is_done: Callable[[RolloutView], bool]
    annotation: tuple[str, str | None] | None = None
    """An annotation's name and value; None as the value removes it."""
    spec: Json = field(default_factory=dict)
    """A merge patch of the spec; empty when it is left alone."""

    def body(self) -> Json:
        """The merge patch as a whole; empty when nothing is to be written."""
        annotations: Json = {} if self.annotation is None else {self.annotation[0]: self.annotation[1]}
        body: Json = {"metadata": {"annotations": annotations}} if annotations else {}
        return {**body, "spec": self.spec} if self.spec else body

    def stands_in(self, raw: Json) -> bool:
        """Whether the object holds all of it already, so that writing it would change nothing."""
        return _holds(raw, self.body())


def _holds(there: JsonValue, patch: JsonValue) -> bool:
    if not isinstance(patch, dict):
        return there == patch
    known = there if isinstance(there, dict) else {}
    return all(_holds(known.get(name), value) for name, value in patch.items())


def attempt_in_flight(view: RolloutView) -> Attempt:
    """The attempt that can still be stopped or helped on. Raises CommandError, with the reason, when there is none."""
    attempt = view.status.attempt
    if attempt is None or attempt.state is AttemptState.ENDED:
        ended = ""
        if attempt is not None and attempt.outcome is not None:
            ended = f"; attempt {attempt.number} of {attempt.candidate.version} ended {attempt.outcome.value}"
        raise CommandError(f"{view.key}: no attempt is in flight{ended}")
    if attempt.state is AttemptState.ROLLING_BACK:
        tried, why = attempt.candidate.version, f": {attempt.reason}" if attempt.reason else ""
        raise CommandError(
            f"{view.key}: attempt {attempt.number} of {tried} is on its way back, which nothing stops{why}"
        )
    return attempt


def ended_as(view: RolloutView, outcome: Outcome) -> Attempt | None:
    """The last attempt, if it ended so and the spec names no version whose attempt may be about to begin."""
    attempt, stable = view.status.attempt, view.status.stable
    if attempt is None or attempt.state is not AttemptState.ENDED or attempt.outcome is not outcome:
        return None
    known = {attempt.candidate.version, stable.version if stable is not None else ""}
    prompt = view.spec.prompt if view.spec is not None else None
    return attempt if prompt is None or prompt.version in known else None


def is_over(view: RolloutView, number: int) -> bool:
    """Whether the attempt of that number has ended, or a later one began."""
    attempt = view.status.attempt
    return attempt is None or attempt.number > number or attempt.state is AttemptState.ENDED


def is_observed(view: RolloutView) -> bool:
    """Whether the operator has seen this generation of the spec."""
    return view.status.observed_generation is not None and view.status.observed_generation >= view.generation
