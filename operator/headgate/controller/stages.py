"""How far a PromptVersion has come, derived from where Rollouts have it. Pure; never set by hand."""

from collections.abc import Iterable

from headgate.api.prompt_version import Stage
from headgate.api.rollout_status import AttemptState, Outcome
from headgate.engine.observation import RolloutView

_ORDER = [Stage.DRAFT, Stage.DEPRECATED, Stage.INTERNAL_TEST, Stage.CUSTOMER_BETA, Stage.STABLE]


def stage(name: str, digest: str, rollouts: Iterable[RolloutView], before: Stage | None) -> Stage:
    """The furthest stage that any Rollout gives it; once it was stable or rejected and nobody has it, Deprecated."""
    past = Stage.DEPRECATED if before in (Stage.STABLE, Stage.DEPRECATED) else Stage.DRAFT
    return max([past, *(_in_one(name, digest, view) for view in rollouts)], key=_ORDER.index)


def _in_one(name: str, digest: str, view: RolloutView) -> Stage:
    status = view.status
    if status.stable is not None and (status.stable.version, status.stable.digest) == (name, digest):
        return Stage.STABLE
    attempt = status.attempt
    if attempt is not None and (attempt.candidate.version, attempt.candidate.digest) == (name, digest):
        match attempt.state:
            case AttemptState.VERIFYING:
                return Stage.INTERNAL_TEST
            case AttemptState.STEPPING | AttemptState.BAKING:
                return Stage.CUSTOMER_BETA if status.weight > 0 else Stage.INTERNAL_TEST
            case AttemptState.ROLLING_BACK | AttemptState.ENDED:
                pass
    was_rejected = any(rejection.digest == digest for rejection in status.rejected)
    was_stable = any(entry.digest == digest and entry.outcome is Outcome.PROMOTED for entry in status.history)
    return Stage.DEPRECATED if was_rejected or was_stable else Stage.DRAFT
