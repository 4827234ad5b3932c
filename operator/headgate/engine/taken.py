"""Names of versions that are taken for good: each means the content that it had first. Knows no PromptVersion."""

from collections.abc import Iterator
from itertools import islice

from headgate.api.rollout_status import RolloutStatus, VersionRef

MOST_TAKEN = 50


def names(status: RolloutStatus) -> Iterator[VersionRef]:
    """What a status knows to have been stable or tried, the newest first; a name may come more than once."""
    if status.stable is not None:
        yield status.stable
    if status.attempt is not None:
        yield status.attempt.candidate
    yield from (VersionRef.model_construct(version=known.version, digest=known.digest) for known in status.rejected)
    yield from (VersionRef.model_construct(version=known.version, digest=known.digest) for known in status.history)
    yield from status.taken


def taken(before: RolloutStatus, after: RolloutStatus) -> list[VersionRef]:
    """The names that the rest of a status does not know any more, once ``after`` is written over ``before``.

    What a target holds is named by its content, so nothing else can ever have its name.
    """
    if after.stable is None or after.stable.target is not None:
        return after.taken
    kept = {ref.version for ref in names(after.model_copy(update={"taken": []}))}
    lost = {ref.version: ref.digest for ref in reversed([*names(before), *after.taken]) if ref.version not in kept}
    newest = islice(reversed(lost.items()), MOST_TAKEN)
    return [VersionRef.model_construct(version=version, digest=digest) for version, digest in newest]
