"""What headgate leaves in an HTTPRoute's annotation ``headgate.dev/<rollout>``: the fence and its memory. No I/O."""

import json
from dataclasses import dataclass, replace

from headgate.cluster import shape
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery import json_text
from headgate.delivery.fence import exposes
from headgate.engine.routing import ArmVersion, Routing

PREFIX = "headgate.dev/"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A RequestMirror filter of headgate's own."""

    backend: str
    percent: int
    """The share of requests that it copies."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one Rollout on one route."""

    revision: int | None
    """None where it, or the count of attempts, cannot be read: then the marks are to be written anew."""
    uid: str
    attempt: int
    stable: ArmVersion
    slot: int
    """Which of the backends serves stable."""
    candidate: ArmVersion | None
    backends: tuple[str, str]
    mirror: Mirror | None
    """The RequestMirror filter that headgate added."""

    def text(self) -> str:
        """The annotation's value."""
        return json.dumps(
            {
                "revision": self.revision,
                "uid": self.uid,
                "attempt": self.attempt,
                "stable": _named(self.stable),
                "slot": self.slot,
                "candidate": _named(self.candidate) if self.candidate else None,
                "backends": list(self.backends),
                "mirror": {"backend": self.mirror.backend, "percent": self.mirror.percent} if self.mirror else None,
            }
        )


def annotation(rollout: str) -> str:
    """The annotation's key."""
    return PREFIX + rollout


def wanted(routing: Routing, backends: tuple[str, str]) -> Marks:
    """The marks that belong to a routing."""
    exposing = exposes(routing)
    return Marks(
        revision=routing.revision,
        uid=routing.uid,
        attempt=routing.attempt,
        stable=ArmVersion(routing.stable.version, routing.stable.digest),
        slot=routing.stable_slot,
        candidate=ArmVersion(routing.candidate.version, routing.candidate.digest)
        if routing.candidate and exposing
        else None,
        backends=backends,
        mirror=Mirror(backends[1 - routing.stable_slot], routing.shadow) if exposing and routing.shadow else None,
    )


def left_to(marks: Marks, names: tuple[str, str]) -> Marks | None:
    """What another Rollout's marks say to one that calls the backends so; None when it does not split those two."""
    serves = marks.backends[marks.slot]
    if set(marks.backends) != set(names):
        return None
    return replace(marks, backends=names, slot=names.index(serves))


def on(route: Json) -> dict[str, Marks]:
    """The marks of every Rollout that left some on the route."""
    found = {}
    for key, value in shape.annotations(route).items():
        if key.startswith(PREFIX) and isinstance(value, str) and (marks := _read(value)) is not None:
            found[key.removeprefix(PREFIX)] = marks
    return found


def _read(value: str) -> Marks | None:
    """The marks in an annotation; None when it holds none that can be read."""
    try:
        fields = shape.mapping(json_text.parse(value))
    except json_text.NotJson:
        return None
    revision, attempt, slot = (shape.whole(fields.get(key)) for key in ("revision", "attempt", "slot"))
    uid, stable = shape.text(fields.get("uid")), _version(fields.get("stable"))
    backends = [text for text in map(shape.text, shape.sequence(fields.get("backends"))) if text]
    if slot not in (0, 1) or uid is None or stable is None or len(backends) != 2:
        return None
    return Marks(
        revision=revision if attempt is not None else None,
        uid=uid,
        attempt=attempt or 0,
        stable=stable,
        slot=slot,
        candidate=_version(fields.get("candidate")),
        backends=(backends[0], backends[1]),
        mirror=_mirror(fields.get("mirror")),
    )


def _named(version: ArmVersion) -> Json:
    return {"version": version.version, "digest": version.digest}


def _version(value: JsonValue) -> ArmVersion | None:
    version, digest = shape.text(shape.at(value, "version")), shape.text(shape.at(value, "digest"))
    return ArmVersion(version, digest) if version and digest else None


def _mirror(value: JsonValue) -> Mirror | None:
    backend, percent = shape.text(shape.at(value, "backend")), shape.whole(shape.at(value, "percent"))
    return Mirror(backend, percent) if backend and percent is not None else None
