"""KServe's reading of its canaryTrafficPercent, where 0 is no rest but a way back. Pure; knows no router.

KServe splits between the latest revision and the last one that had 100 %. Once that is the latest itself, a weight
below 100 takes it back to the revision before: what headgate promoted would be undone. A reader that says nothing of
revisions in its status is taken at its word: the field is the candidate's share and nothing else.
"""

from dataclasses import dataclass

from headgate.cluster import shape
from headgate.cluster.objects import Json

GROUP = "serving.kserve.io"


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
    if not api_version.startswith(f"{GROUP}/") or len(parts) < 3 or parts[0] != "spec":
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
    """A revision, and the digest of stable's declared fields when it was seen."""

    revision: str
    digest: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen of revisions, which KServe's status names without saying what they serve."""

    stable: Serving | None = None
    """Seen to serve that content to everybody."""
    other: Serving | None = None
    """The latest that was made while the object held something else than that content."""


def remembered(shown: Revisions | None, digest: str, before: Memory, written: int | None, *, settled: bool) -> Memory:
    """The memory once a status was seen; ``settled`` says that the object holds stable's content, whose digest it is.

    ``written`` is the weight that headgate wrote last.
    """
    if shown is None:
        return before
    if not settled:
        # A status in which all revisions are one may be older than the edit.
        is_new = shown.created != shown.rolled_out
        return Memory(before.stable, Serving(shown.created, digest) if is_new else before.other)
    rests = shown.rolled_out == shown.ready == shown.created
    if rests and not _is_outdated(shown, digest, before, written):
        return Memory(Serving(shown.rolled_out, digest), before.other)
    return before


def resting(shown: Revisions | None, digest: str, known: Memory, written: int | None, *, settled: bool) -> int:
    """The weight at which nobody is served anything but stable; ``settled`` says that the object holds its content.

    An edit that is not released yet gets 0, whatever was there. Stable's own content rests at 0 while KServe gives the
    rest to a revision that is known to serve it, or knows no earlier one to go back to, or has nothing ready but what
    was not released; else, as after a promotion, at 100. ``written`` is the weight that headgate wrote last.
    """
    if shown is None or not settled or _is_outdated(shown, digest, known, written):
        return 0
    if shown.rolled_out == shown.created:
        return 100 if shown.previous else 0
    if known.stable == Serving(shown.rolled_out, digest):
        return 0
    return 0 if known.other == Serving(shown.ready, digest) and shown.ready != shown.rolled_out else 100


def _is_outdated(shown: Revisions, digest: str, known: Memory, written: int | None) -> bool:
    """Whether the status speaks of the revision that was taken back, although stable's content is there again.

    With 0 written KServe goes back, or makes a revision of that content: it has only not said so yet. Its
    observedGeneration would not tell, since it is that of a child (kserve#6081).
    """
    if written != 0 or shown.rolled_out != shown.created:
        return False
    return goes_back(shown, digest, known) or known.other == Serving(shown.created, digest)


def goes_back(shown: Revisions | None, digest: str, known: Memory) -> bool:
    """Whether KServe, with 0 written, is still to give everybody back to stable's revision; the digest is stable's.

    An edit before that makes it keep the other revision as the one that has the rest, until the edit's own is ready.
    """
    if shown is None or not shown.previous or shown.previous == shown.rolled_out:
        return False
    return known.stable == Serving(shown.previous, digest) or known.other == Serving(shown.rolled_out, digest)
