"""A weight in a field of any object, with headgate's marks in an annotation: what it shows, and the edits. No I/O.

It touches that one field, creating what is missing above it, and the annotation ``headgate.dev/<rollout>``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headgate.cluster import shape
from headgate.cluster.json_spelling import is_written_alike
from headgate.cluster.objects import Json, JsonValue
from headgate.delivery import json_text, kserve
from headgate.delivery.fence import exposes
from headgate.delivery.kserve import Held, Memory, Serving
from headgate.engine.routing import ArmVersion, Routing

PREFIX = "headgate.dev/"
_EVERYBODY = 100


@dataclass(frozen=True, slots=True)
class Marks:
    """The fence and the memory of one Rollout about one field."""

    revision: int | None
    """None where it cannot be read: then the marks are to be written anew."""
    uid: str
    """The Rollout's."""
    attempt: int
    object_uid: str
    """The object's: marks that were copied to another object say nothing."""
    stable: ArmVersion
    candidate: ArmVersion | None
    weight: int
    """The candidate's share that was written, in %; 0 at rest."""
    written: int
    """What was written into the field; at rest that is what its reader takes for nobody's share."""
    kserve: Memory
    """What was seen of its reader's revisions."""


def value(obj: Json, path: str) -> int | None:
    """The whole number in the field; None when something else, or nothing, stands there."""
    return shape.whole(shape.at(obj, *path.split(".")))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the field and the marks must be under a routing."""

    weight: int
    """What the field must hold."""
    marks: Marks
    waits: str
    """What its reader must do before it may have the routing's weight, in words; empty when nothing."""
    behind: str
    """What its reader still does otherwise than the routing asks for at rest, in words; empty when nothing."""


def wanted(obj: Json, path: str, routing: Routing, before: Marks | None) -> Wanted:
    """What belongs to a routing, given what its reader says of itself and the marks that are there."""
    shown, exposing = kserve.revisions(obj, path), exposes(routing)
    held = Held(routing.held, routing.stable.digest, before.stable.digest if before is not None else "")
    known = kserve.remembered(shown, held, before.kserve if before is not None else Memory())
    candidate, waits, behind = routing.candidate if exposing else None, "", ""
    if candidate is not None:
        waits = kserve.obstacle(shown, routing.weight, candidate.digest, routing.stable.digest, known)
        share = weight = 0 if waits else routing.weight
        if shown is not None and weight == _EVERYBODY:
            known = replace(known, full=shown.ready)
    else:
        share, weight = 0, kserve.resting(shown, held, known, _left(obj, path, before))
        behind = kserve.behind(shown, weight, routing.stable.digest, known)
    marks = Marks(
        revision=routing.revision,
        uid=routing.uid,
        attempt=routing.attempt,
        object_uid=uid(obj),
        stable=ArmVersion(routing.stable.version, routing.stable.digest),
        candidate=ArmVersion(candidate.version, candidate.digest) if candidate is not None else None,
        weight=share,
        written=weight,
        kserve=known,
    )
    return Wanted(weight, marks, waits, behind)


def _left(obj: Json, path: str, before: Marks | None) -> int:
    """What the field holds on, where nobody knows what its object serves: a share is taken back, the rest stays."""
    if before is not None:
        return 0 if before.weight else before.written
    found = value(obj, path)
    return found if found is not None else _EVERYBODY


def problem(obj: Json, path: str) -> str | None:
    """Why the field cannot be written, in one line; None when it can."""
    where = in_the_way(obj, path)
    if where is None:
        return None
    return f"{kind_and_name(obj)}: {where} holds no object; correct the path of the delivery's field"


def in_the_way(obj: Json, path: str) -> str | None:
    """Where above the field something else than an object stands; None when the field can be written."""
    here: JsonValue = obj
    above = path.split(".")[:-1]
    for index, name in enumerate(above):
        here = shape.mapping(here).get(name)
        if here is None:
            return None
        if not isinstance(here, dict):
            return ".".join(above[: index + 1])
    return None


def edits(obj: Json, path: str, routing: Routing, wanted: Wanted, left: Iterable[str] = ()) -> list[Json]:
    """The JSON patch operations that write the weight and the marks, if nothing that they follow from has changed.

    The marks that other Rollouts have ``left`` on the field go, where the whole object is tested.
    """
    added = [] if value(obj, path) == wanted.weight else [_add(obj, path, wanted.weight)]
    annotated = _annotate(obj, path, routing.rollout, wanted.marks)
    if not _waits_for_nobody(obj, path, routing):
        test: Json = {"op": "test", "path": "/metadata/resourceVersion", "value": shape.resource_version(obj)}
        return [test, *added, annotated, *(_forget(obj, path, rollout) for rollout in left)]
    name = PREFIX + routing.rollout
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid(obj)},
        {
            "op": "test",
            "path": shape.pointer("metadata", "annotations", name),
            "value": shape.annotations(obj).get(name),
        },
        *added,
        annotated,
    ]


def _waits_for_nobody(obj: Json, path: str, routing: Routing) -> bool:
    """Whether only the marks are tested, for nobody's share: a way back waits for no one who writes the rest.

    A share may be raised only over what was seen, KServe's status says what rests, and what is made above the field
    must not replace what somebody has made meanwhile.
    """
    written = shape.annotations(obj).get(PREFIX + routing.rollout)
    reads_status = routing.is_settled and kserve.revisions(obj, path) is not None
    makes_parents = not isinstance(shape.at(obj, *path.split(".")[:-1]), dict)
    told_apart = isinstance(written, str) and is_written_alike(written)
    return told_apart and not (exposes(routing) or reads_status or makes_parents)


def on(obj: Json) -> dict[tuple[str, str], Marks]:
    """The marks that were left on this very object, by Rollout and path."""
    found = {}
    for key, text in shape.annotations(obj).items():
        for path, fields in _entries(text).items() if key.startswith(PREFIX) else ():
            marks = _read(fields)
            if marks is not None and marks.object_uid == uid(obj):
                found[key.removeprefix(PREFIX), path] = marks
    return found


def uid(obj: Json) -> str:
    """The object's UID."""
    return shape.text(shape.at(obj, "metadata", "uid")) or ""


def kind_and_name(obj: Json) -> str:
    """An object as people call it."""
    return f"{shape.text(obj.get('kind')) or 'object'} {shape.name(obj)}"


def _add(obj: Json, path: str, weight: int) -> Json:
    parts = path.split(".")
    here: JsonValue = obj
    for index, name in enumerate(parts[:-1]):
        inner = shape.mapping(here).get(name)
        if inner is None:
            missing: JsonValue = weight
            for below in reversed(parts[index + 1 :]):
                missing = {below: missing}
            return {"op": "add", "path": shape.pointer(*parts[: index + 1]), "value": missing}
        here = inner
    return {"op": "add", "path": shape.pointer(*parts), "value": weight}


def _annotate(obj: Json, path: str, rollout: str, marks: Marks) -> Json:
    key = PREFIX + rollout
    present = shape.annotations(obj).get(key)
    text = json.dumps({**_entries(present), path: _written(marks)})
    if not isinstance(shape.at(obj, "metadata", "annotations"), dict):
        return {"op": "add", "path": "/metadata/annotations", "value": {key: text}}
    return {"op": "add", "path": shape.pointer("metadata", "annotations", key), "value": text}


def _forget(obj: Json, path: str, rollout: str) -> Json:
    """The operation that takes a Rollout's marks on the field away, and leaves those on other fields."""
    key = PREFIX + rollout
    others = {field: entry for field, entry in _entries(shape.annotations(obj).get(key)).items() if field != path}
    where = shape.pointer("metadata", "annotations", key)
    if not others:
        return {"op": "remove", "path": where}
    return {"op": "replace", "path": where, "value": json.dumps(others)}


def _entries(text: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(text, str):
        return {}
    try:
        return {path: entry for path, entry in shape.mapping(json_text.parse(text)).items() if isinstance(entry, dict)}
    except json_text.NotJson:
        return {}


def _written(marks: Marks) -> Json:
    written: Json = {
        "revision": marks.revision,
        "uid": marks.uid,
        "attempt": marks.attempt,
        "object": marks.object_uid,
        "stable": _named(marks.stable),
        "candidate": _named(marks.candidate) if marks.candidate is not None else None,
        "weight": marks.weight,
        "written": marks.written,
    }
    if marks.kserve.seen:
        written["serves"] = {each.revision: each.digest for each in marks.kserve.seen}
    if marks.kserve.full:
        written["full"] = marks.kserve.full
    return written


def _read(fields: JsonValue) -> Marks | None:
    """The marks; None when some of them cannot be read."""
    entry = shape.mapping(fields)
    revision, attempt, weight, written = (
        shape.whole(entry.get(key)) for key in ("revision", "attempt", "weight", "written")
    )
    owner, object_uid = shape.text(entry.get("uid")), shape.text(entry.get("object"))
    stable = _version(entry.get("stable"))
    if attempt is None or weight is None or written is None:
        return None
    if owner is None or object_uid is None or stable is None:
        return None
    return Marks(
        revision=revision,
        uid=owner,
        attempt=attempt,
        object_uid=object_uid,
        stable=stable,
        candidate=_version(entry.get("candidate")),
        weight=weight,
        written=written,
        kserve=_memory(entry),
    )


def _memory(entry: Mapping[str, JsonValue]) -> Memory:
    serves = shape.mapping(entry.get("serves")).items()
    seen = (Serving(revision, digest) for revision, digest in serves if isinstance(digest, str))
    return Memory(tuple(seen), shape.text(entry.get("full")) or "")


def _named(version: ArmVersion) -> Json:
    return {"version": version.version, "digest": version.digest}


def _version(entry: JsonValue) -> ArmVersion | None:
    version, digest = shape.text(shape.at(entry, "version")), shape.text(shape.at(entry, "digest"))
    return ArmVersion(version, digest) if version and digest else None
