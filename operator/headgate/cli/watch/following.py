"""An endless account of what happens to Rollouts, across lost connections and expired watches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from headgate.cli.kube.looking import Seen, seen
from headgate.cli.kube.refusals import Expired
from headgate.cli.kube.rollouts import EventKind, Rollouts
from headgate.cluster.objects import Json, Unavailable

_WATCH_SECONDS = 60
_PAUSES = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Everything:
    """All that there is now; what is missing here is gone."""

    rollouts: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One Rollout is new or different."""

    rollout: Seen


@dataclass(frozen=True, slots=True)
class Gone:
    """One Rollout was deleted."""

    rollout: Seen


@dataclass(frozen=True, slots=True)
class Lost:
    """The API server does not answer; what was seen may be old. It is tried again."""

    reason: str


News: TypeAlias = Everything | Changed | Gone | Lost


def follow(
    rollouts: Rollouts, namespace: str | None, name: str | None, pause: Callable[[float], None]
) -> Iterator[News]:
    """What there is, then what happens, without end. ``pause`` sleeps between tries, in seconds.

    Raises a ClusterError when the first look fails, or when the server refuses to be watched.
    """
    failures = 0
    answered = False
    while True:
        try:
            for news in _until_broken(rollouts, namespace, name):
                answered, failures = True, 0
                yield news
        except Expired:
            continue
        except Unavailable as error:
            if not answered:
                raise
            yield Lost(str(error))
            pause(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1


def _until_broken(rollouts: Rollouts, namespace: str | None, name: str | None) -> Iterator[News]:
    listing = rollouts.listing(namespace, name)
    yield Everything(tuple(seen(raw) for raw in listing.items))
    position = listing.resource_version
    while True:
        # Short watches notice a silently dead connection soon; going on from the position costs one request.
        for event in rollouts.watch(namespace, name, position, seconds=_WATCH_SECONDS):
            position = _position(event.obj) or position
            match event.kind:
                case EventKind.BOOKMARK:
                    continue
                case EventKind.DELETED:
                    yield Gone(seen(event.obj))
                case EventKind.ADDED | EventKind.MODIFIED:
                    yield Changed(seen(event.obj))


def _position(obj: Json) -> str | None:
    metadata = obj.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    return version if isinstance(version, str) else None
