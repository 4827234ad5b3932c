"""What the repository must say again: one object, its fields' last good values. Knows no file and no cluster."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from headgate.api.conditions import ConditionStatus
from headgate.api.model import API_VERSION
from headgate.api.rollout_status import AttemptState, Outcome, RolloutStatus, StableRef, TargetRef, VersionRef
from headgate.cli.failures import CommandError
from headgate.cli.in_the_way import asked_again
from headgate.engine.content import Content, canonical
from headgate.engine.observation import RolloutView

_VERSION = "spec.prompt.version"
_FAMILY = "spec.prompt.family"


@dataclass(frozen=True, slots=True)
class Revert:
    """One object of the repository, and what it must hold."""

    api_version: str
    kind: str
    namespace: str
    name: str
    good: Content
    """What its fields must hold; None as a field's value: it must not be there."""
    bad: Content | None
    """What the repository is believed to hold instead; None when that is not on record."""
    known: tuple[Content, ...] | None
    """What may be replaced in a file; None: whatever stands there."""
    why: tuple[str, ...]
    """What happened, in lines for people."""
    weights: tuple[str, ...] = ()
    """The fields of the object that headgate writes, so that the repository should not hold them."""

    @property
    def group(self) -> str:
        """The group of its kind."""
        return self.api_version.split("/", maxsplit=1)[0]


def stable_of(view: RolloutView) -> StableRef:
    """The last good version. Raises CommandError when there is none yet."""
    if view.status.stable is None:
        raise CommandError(f"{view.key}: no version is stable yet, so there is none to go back to")
    return view.status.stable


def asked_instead(view: RolloutView) -> VersionRef | None:
    """The rejected version that the repository is believed to ask for; None when nothing is to be reverted.

    One that is being tried is none, nor one that was never tried: taking those back is for a person to say.
    """
    stable, attempt = stable_of(view), view.status.attempt
    prompt, again = view.spec.prompt if view.spec is not None else None, asked_again(view)
    if again is not None and again.digest != stable.digest:
        # It may be asked for under another name than the one under which it was rejected.
        return VersionRef(version=prompt.version if prompt is not None else again.version, digest=again.digest)
    if prompt is not None and prompt.version != stable.version:
        return next((each for each in _rejected(view) if each.version == prompt.version), None)
    if attempt is None or attempt.outcome is not Outcome.ROLLED_BACK or attempt.candidate.digest == stable.digest:
        return None
    # Ready says that whoever keeps the spec has let the rejected version go.
    return None if _is_ready(view.status) else attempt.candidate


def why_nothing(view: RolloutView) -> str:
    """Why nothing is to be reverted, for people."""
    attempt = view.status.attempt
    if attempt is None or attempt.state is AttemptState.ENDED:
        return "nothing to revert, Git is believed to say no version that was rejected"
    tried = f"attempt {attempt.number} of {attempt.candidate.version} is in flight and not rejected"
    return f"nothing to revert, {tried}; to take it back first: headgate abort {view.name}"


def of_prompt(
    view: RolloutView, instead: VersionRef, family_of: Callable[[str], str | None] = lambda _: None
) -> Revert:
    """The Rollout's own line, and that of the family where it is another with stable. Raises CommandError.

    ``family_of`` tells the family of a version; one that it does not tell is left alone.
    """
    stable = stable_of(view)
    known = {instead.version, *(rejected.version for rejected in _rejected(view))}
    good, bad = family_of(stable.version), _family_asked(view, instead) or family_of(instead.version)
    families = [bad, good] if good is not None and bad not in (None, good) else [None]
    return Revert(
        api_version=API_VERSION,
        kind="Rollout",
        namespace=view.namespace,
        name=view.name,
        good=_prompt(families[-1], stable.version),
        bad=_prompt(families[0], instead.version),
        known=tuple(_prompt(family, version) for version in sorted(known - {stable.version}) for family in families),
        why=_why(view, stable, instead),
    )


def of_target(
    view: RolloutView, target: TargetRef, instead: VersionRef, good: Content, rejected: Mapping[str, Content | None]
) -> Revert:
    """The declared fields of the object that the Rollout releases.

    ``rejected`` is what may be taken back, by digest; None where there is no snapshot of it any more.
    """
    known = tuple(content for content in rejected.values() if content is not None)
    weights = (route.field for route in view.spec.routes()) if view.spec is not None else iter(())
    return Revert(
        api_version=target.api_version,
        kind=target.kind,
        namespace=view.namespace,
        name=target.name,
        good=good,
        bad=rejected.get(instead.digest),
        known=known if len(known) == len(rejected) else None,
        why=_why(view, stable_of(view), instead),
        weights=tuple(
            field.path
            for field in weights
            if field is not None
            and field.target is not None
            and (field.target.kind, field.target.name) == (target.kind, target.name)
        ),
    )


def _rejected(view: RolloutView) -> Iterator[VersionRef]:
    """What was rejected, as far as that is on record, and what the last attempt took back."""
    yield from (VersionRef(version=each.version, digest=each.digest) for each in view.status.rejected)
    attempt = view.status.attempt
    if attempt is not None and attempt.outcome is Outcome.ROLLED_BACK:
        yield attempt.candidate


def _family_asked(view: RolloutView, instead: VersionRef) -> str | None:
    """The family that the spec names with that version; None where it does not name the version."""
    prompt = view.spec.prompt if view.spec is not None else None
    return prompt.family if prompt is not None and prompt.version == instead.version else None


def _prompt(family: str | None, version: str) -> Content:
    named = ((_FAMILY, canonical(family)),) if family is not None else ()
    return Content((*named, (_VERSION, canonical(version))))


def _why(view: RolloutView, stable: StableRef, instead: VersionRef) -> tuple[str, ...]:
    """What became of the version that was asked for, and what the change does."""
    attempt = view.status.attempt
    rejection = next((known for known in view.status.rejected if known.digest == instead.digest), None)
    if rejection is not None:
        happened = f"{instead.version} was rejected in attempt {rejection.attempt}: {rejection.reason}"
    elif attempt is not None:
        happened = f"{instead.version} was taken back in attempt {attempt.number}: {attempt.reason}"
    else:
        happened = f"{instead.version} was rejected"
    return happened, f"headgate Rollout {view.key}: back to the last good version, {stable.version}"


def _is_ready(status: RolloutStatus) -> bool:
    ready = (known for known in status.conditions if known.type == "Ready")
    return any(known.status is ConditionStatus.TRUE for known in ready)
