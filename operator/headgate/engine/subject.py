"""What the spec asks to be stable, resolved against the versions that exist. Reads, decides nothing."""

from dataclasses import dataclass

from headgate.api.rollout_status import RolloutStatus, VersionRef
from headgate.engine.observation import Observation, TargetView
from headgate.engine.taken import names
from headgate.engine.turn import Problem


@dataclass(frozen=True, slots=True)
class Subject:
    """The version that the spec names: usable when ``problem`` is None."""

    ref: VersionRef | None
    problem: Problem | None = None
    pending: bool = False
    """Whether it cannot be used yet, and may well be in a moment."""


def resolve(observation: Observation, status: RolloutStatus) -> Subject:
    """The spec's version with its digest, or why it cannot be tried."""
    view = observation.rollout
    if view.spec is None:
        return Subject(None, Problem("InvalidSpec", view.spec_error or "the spec cannot be read"))
    wanted = view.spec.prompt
    if wanted is None:
        return _of_target(observation.target)
    known = observation.versions.get(wanted.version)
    stable = status.stable
    if stable is not None and wanted.version == stable.version and (known is None or known.digest == stable.digest):
        return Subject(VersionRef(version=stable.version, digest=stable.digest))
    if known is None:
        return Subject(
            None,
            Problem(
                "VersionNotFound",
                f"spec.prompt.version: PromptVersion {wanted.version!r} does not exist in namespace {view.namespace!r};"
                " apply it or name one that exists",
            ),
        )
    if known.error is not None:
        return Subject(None, Problem("VersionInvalid", f"PromptVersion {known.name!r}: {known.error}"))
    if known.family != wanted.family:
        return Subject(
            None,
            Problem(
                "FamilyMismatch",
                f"spec.prompt.version: {known.name!r} is of family {known.family!r}, not {wanted.family!r};"
                " name a version of this family",
            ),
        )
    ref = VersionRef(version=known.name, digest=known.digest)
    if (recorded := _recorded_digest(status, ref)) is not None:
        return Subject(
            ref,
            Problem(
                "VersionRecreated",
                f"PromptVersion {ref.version!r} was created again with other content ({ref.digest[:19]}, recorded"
                f" {recorded[:19]}); give new content a new name",
            ),
        )
    if not known.ready:
        waiting = Problem("VersionNotCompiled", f"PromptVersion {ref.version!r} is not compiled yet", invalid=False)
        return Subject(ref, waiting)
    return Subject(ref)


def _of_target(target: TargetView | None) -> Subject:
    """What the target holds: its own edit is the release, so whatever it holds can be tried."""
    if target is None or target.version is None or target.reason:
        reason, message = (target.reason, target.message) if target is not None else ("", "")
        return Subject(None, Problem(reason or "TargetNotFound", message or "spec.target is not to be seen"))
    return Subject(VersionRef(version=target.version.name, digest=target.version.digest))


def _recorded_digest(status: RolloutStatus, ref: VersionRef) -> str | None:
    """The digest under which that name is on record, when it is another."""
    same = (known for known in names(status) if known.version == ref.version)
    return next((known.digest for known in same if known.digest != ref.digest), None)
