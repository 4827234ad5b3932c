"""What an object holds in its declared fields, as a version: canonical, digested, named. Knows no cluster."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_LONGEST_IN_NAME = 10


@dataclass(frozen=True, slots=True)
class Content:
    """The declared fields' values as canonical JSON, in the order of their paths; None where a field is absent."""

    fields: tuple[tuple[str, str | None], ...]

    @property
    def digest(self) -> str:
        """``sha256:`` and the hex SHA-256 of the canonical JSON of ``{path: {"value": ...}}``, absent: ``null``."""
        members = ",".join(f"{json.dumps(path)}:{_member(text)}" for path, text in self.fields)
        return f"sha256:{hashlib.sha256(f'{{{members}}}'.encode()).hexdigest()}"

    @property
    def paths(self) -> tuple[str, ...]:
        """The declared fields."""
        return tuple(path for path, _ in self.fields)


def content_of(obj: Mapping[str, object], paths: Iterable[str]) -> Content:
    """What stands at those dotted paths of an object. A field that holds null is there; one without parents is not."""
    return Content(tuple((path, _text_at(obj, path)) for path in sorted(paths)))


def version_name(rollout: str, digest: str) -> str:
    """What people call a target's version: the Rollout and the beginning of the digest."""
    return f"{rollout}-{_in_name(digest)}"


def is_named_after(version: str, digest: str) -> bool:
    """Whether a version is called as some Rollout calls its target's."""
    return version.endswith(f"-{_in_name(digest)}")


def _in_name(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_LONGEST_IN_NAME]


def canonical(value: object) -> str:
    """A JSON value with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _text_at(obj: Mapping[str, object], path: str) -> str | None:
    here: object = obj
    for name in path.split("."):
        if not isinstance(here, dict) or name not in here:
            return None
        here = here[name]
    return canonical(here)


def _member(text: str | None) -> str:
    return "null" if text is None else f'{{"value":{text}}}'
