"""Gives up what headgate owns of an object that others apply, so that their next apply needs no force."""

from collections.abc import Mapping

from headgate.cluster import shape
from headgate.cluster.objects import FIELD_MANAGER, Conflict, Json, JsonValue, Kind, NotFound, Objects

_FIELDS = "/metadata/managedFields"
_TRIES = 4


async def give_up(kind: Kind, namespace: str, raw: Json, reader: Objects, writer: Objects) -> Json | None:
    """Writes, as ``writer``, that headgate owns none of it; the object then, None when nothing was to be written.

    Raises Conflict when others write it all the time, and other ClusterErrors.
    """
    name = shape.name(raw)
    for _ in range(_TRIES):
        operations = _giving_up(raw)
        if not operations:
            return None
        try:
            return await writer.json_patch(kind, namespace, name, operations)
        except Conflict:
            raw = await reader.get(kind, namespace, name)
        except NotFound:
            return None
    what = f"{kind.kind} {namespace}/{name}: headgate's entry in managedFields"
    raise Conflict(f"{what} could not be dropped; it is tried again")


def _giving_up(raw: Json) -> list[dict[str, JsonValue]]:
    """The JSON patch that drops headgate's entries for the main resource; empty when it owns nothing of it.

    The status stays. Each entry is tested, so that the patch does nothing to what was written since.
    """
    managed = shape.sequence(shape.at(raw, "metadata", "managedFields"))
    ours = [(index, entry) for index, entry in enumerate(managed) if _is_ours(shape.mapping(entry))]
    tests: list[dict[str, JsonValue]] = [
        {"op": "test", "path": f"{_FIELDS}/{index}", "value": entry} for index, entry in ours
    ]
    # From the end, so that the indices before stay what they are.
    drops: list[dict[str, JsonValue]] = [{"op": "remove", "path": f"{_FIELDS}/{index}"} for index, _ in reversed(ours)]
    if ours and len(ours) == len(managed):
        # The API server takes a list without entries for none at all and keeps the old one: the marks stay owned.
        first, entry = ours[0]
        marks = _marks(shape.mapping(entry))
        if len(ours) == 1 and shape.mapping(entry).get("fieldsV1") == marks:
            return []
        drops[-1] = {"op": "replace", "path": f"{_FIELDS}/{first}/fieldsV1", "value": marks}
    return [*tests, *drops]


def _is_ours(entry: Mapping[str, JsonValue]) -> bool:
    return entry.get("manager") == FIELD_MANAGER and not entry.get("subresource")


def _marks(entry: Mapping[str, JsonValue]) -> JsonValue:
    return {"f:metadata": shape.at(entry.get("fieldsV1"), "f:metadata") or {"f:annotations": {}}}
