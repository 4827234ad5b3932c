"""KServe's reading of its canaryTrafficPercent, where 0 is no rest but a way back. Pure; knows no router.

KServe splits between the latest revision and the last one that had 100 %. Once that is the latest itself, a weight
below 100 takes it back to the revision before: what headgate promoted would be undone. A reader that says nothing of
revisions in its status is taken at its word: the field is the candidate's share and nothing else.
"""

from dataclasses import dataclass, replace

from headgate.api.target import KSERVE
from headgate.cluster import shape
from headgate.cluster.objects import Json

_EVERYBODY = 100
_LAST = 6
"""So many of the newest revisions are remembered, beside those that the status names."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """What KServe's status says of one component."""

    rolled_out: str
    """The last revision that had 100 %: what gets the share that the weight leaves."""
    previous: str
    """The one before it."""
    ready: str
    created: str


def revisions(obj: Json, path: str) -> Revisions | None:
    """The revisions of the component that a path such as spec.predictor.canaryTrafficPercent is in; None elsewhere."""
    api_version, parts = shape.text(obj.get("apiVersion")) or "", path.split(".")
    if not api_version.startswith(f"{KSERVE}/") or len(parts) < 3 or parts[0] != "spec":
        return None
    component = shape.mapping(shape.at(obj, "status", "components", parts[1]))
    named = [
        shape.text(component.get(name)) or ""
        for name in (
            "latestRolledoutRevision",
            "previousRolledoutRevision",
            "latestReadyRevision",
            "latestCreatedRevision",
        )
    ]
    return Revisions(*named) if named[0] else None


@dataclass(frozen=True, slots=True)
class Serving:
    """A revision, and the digest of the declared fields that it was made of; empty when that is not known."""

    revision: str
    digest: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen of revisions, which KServe's status names without saying what they serve."""

    seen: tuple[Serving, ...] = ()
    """The oldest first."""
    full: str = ""
    """The candidate's revision that was given 100 %, of which KServe has perhaps not said so yet."""

    def of(self, revision: str) -> str | None:
        """The digest of what a revision serves; None when that is not known."""
        return next((each.digest for each in self.seen if each.revision == revision), None) or None


@dataclass(frozen=True, slots=True)
class Held:
    """What the object holds, and what it is held against."""

    digest: str | None
    """Of the declared fields as the object has them; None when they are not to be seen."""
    stable: str
    """Stable's digest."""
    stable_before: str
    """Stable's digest when the marks were written last; another than stable's also where other fields are declared."""


def remembered(shown: Revisions | None, held: Held, before: Memory) -> Memory:
    """The memory once a status was seen beside what the object holds. A revision serves the same for ever.

    KServe says what it created some time after the edit, so one that is new is of what the object holds by now. Only
    where nothing is known yet, and an edit is not released, a status of one revision alone may be older than the edit.
    """
    if shown is None or held.digest is None:
        return before
    settled = held.digest == held.stable
    seen = _renamed(before.seen, held) if settled and before.of(shown.created) == held.stable_before else before.seen
    if all(each.revision != shown.created for each in seen):
        may_be_older = not settled and not seen and shown.created == shown.rolled_out
        seen = (*seen, Serving(shown.created, "" if may_be_older else held.digest))
    named = (shown.rolled_out, shown.previous, shown.ready)
    kept = tuple(each for each in seen[:-_LAST] if each.revision in named) + seen[-_LAST:]
    return Memory(kept, "" if settled else before.full)


def _renamed(seen: tuple[Serving, ...], held: Held) -> tuple[Serving, ...]:
    """Where other fields are declared, the same content has another digest."""
    if held.stable == held.stable_before or any(each.digest == held.stable for each in seen):
        return seen
    return tuple(replace(each, digest=held.stable) if each.digest == held.stable_before else each for each in seen)


def resting(shown: Revisions | None, held: Held, known: Memory, left: int) -> int:
    """The weight at which nobody is served anything but stable, as far as that is known.

    An edit that is not released yet gets 0, whatever was there. Over stable's own content 0 is right where whoever
    has the rest then serves it; else 100 where the latest ready revision does, as after a promotion. ``left`` is what
    stays where the object is not to be seen.
    """
    if shown is None or (held.digest is not None and held.digest != held.stable):
        return 0
    if held.digest is None:
        return left
    everybody = _has_everybody_at_zero(shown)
    if known.of(everybody) == held.stable:
        return 0
    if known.of(shown.ready) == held.stable:
        return 100
    # Nobody's traffic changes by 100 now, and stable's revision has everybody as soon as it is ready.
    is_loading = everybody == shown.ready and known.of(shown.created) == held.stable
    return 100 if is_loading else 0


def behind(shown: Revisions | None, weight: int, stable: str, known: Memory) -> str:
    """Whom KServe gives everybody to although the weight at rest is stable's, in words; empty when to stable.

    It goes back to a revision that it had before only while no other is loading, so that an edit in the very moment of
    an abort keeps everybody where they are.
    """
    if shown is None:
        return ""
    everybody = shown.ready if weight == _EVERYBODY else shown.rolled_out
    if known.of(everybody) in (stable, None):
        return ""
    if known.of(shown.created) == stable:
        return f"KServe gives everybody to {everybody} until {shown.created}, which is to serve stable again, is ready"
    if weight != _EVERYBODY and known.of(_has_everybody_at_zero(shown)) == stable:
        return f"KServe gives everybody to {everybody}, and has not gone back to {shown.previous} yet"
    return f"KServe gives everybody to {everybody}, which does not serve stable: put stable's fields back"


def _has_everybody_at_zero(shown: Revisions) -> str:
    """The revision that serves everybody once KServe has acted upon 0."""
    goes_back = shown.rolled_out == shown.ready == shown.created and shown.previous
    return shown.previous if goes_back else shown.rolled_out


def obstacle(shown: Revisions | None, weight: int, candidate: str, stable: str, known: Memory) -> str:
    """Why KServe would give the candidate's share, or the rest, to something else, in words; empty when it would not.

    The candidate is served once the latest ready revision is one of its content: before that its share would go to
    whatever was made ready last, be it what was rejected.
    """
    if shown is None:
        return ""
    if known.of(shown.ready) != candidate:
        made = f"{shown.created} is loading" if known.of(shown.created) == candidate else "it has made none yet"
        return f"KServe has no revision of the candidate ready: {made}, and {shown.ready} is the latest that is ready"
    rest = known.of(shown.rolled_out)
    if weight < 100 and shown.rolled_out != shown.ready and rest is not None and rest != stable:
        return (
            f"KServe gives the rest to {shown.rolled_out}, which does not serve stable: put stable's fields back first,"
            " and edit them again when they are served"
        )
    return ""


def goes_back(shown: Revisions | None, stable: str, known: Memory) -> bool:
    """Whether KServe, with 0 written, is still to give everybody back to stable's revision; the digest is stable's.

    An edit before that makes it keep the other revision as the one that has the rest, until the edit's own is ready.
    """
    if shown is None or shown.previous == shown.rolled_out or shown.ready != shown.created:
        return False
    if shown.rolled_out != shown.ready:
        # It had 100 %, and the status is perhaps older than that.
        return known.full == shown.ready
    return bool(shown.previous) and known.of(shown.rolled_out) != stable and known.of(shown.previous) in (stable, None)
