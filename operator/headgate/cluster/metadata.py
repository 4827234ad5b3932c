"""An object's identity and age, read defensively: whatever the API server or a hostile client put there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from headgate.cluster import shape
from headgate.cluster.objects import Json
from headgate.engine.observation import Key

_EPOCH = datetime.fromtimestamp(0, UTC)
_OURS = "headgate.dev/"
_LONGEST_ANNOTATION = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object this is, and which state of it."""

    key: Key
    uid: str
    version: int
    """The resourceVersion as a number: what is higher is newer."""
    generation: int
    created_at: datetime
    deleting: bool


def identity(raw: Json) -> Identity | None:
    """The identity of an object; None when it has none, so that nothing can be done about it."""
    metadata = shape.mapping(raw.get("metadata"))
    name, uid = metadata.get("name"), metadata.get("uid")
    version = metadata.get("resourceVersion")
    if not isinstance(name, str) or not isinstance(uid, str) or not isinstance(version, str):
        return None
    if not name or not version.isdigit():
        return None
    namespace, generation = metadata.get("namespace"), metadata.get("generation")
    return Identity(
        key=Key(namespace if isinstance(namespace, str) else "", name),
        uid=uid,
        version=int(version),
        generation=generation if isinstance(generation, int) else 0,
        created_at=_moment(metadata.get("creationTimestamp")),
        deleting=bool(metadata.get("deletionTimestamp")),
    )


def own_annotations(raw: Json) -> Mapping[str, str]:
    """The annotations that speak to headgate, overlong ones left out."""
    return {
        name: value
        for name, value in shape.annotations(raw).items()
        if name.startswith(_OURS) and isinstance(value, str) and len(value) <= _LONGEST_ANNOTATION
    }


def _moment(text: object) -> datetime:
    try:
        read = datetime.fromisoformat(text) if isinstance(text, str) else _EPOCH
    except ValueError:
        return _EPOCH
    return read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)
