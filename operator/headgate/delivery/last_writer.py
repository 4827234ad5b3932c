"""Who wrote a part of an object last, from its managedFields. Knows no router."""

from collections.abc import Sequence

from headgate.cluster.objects import FIELD_MANAGER, Json, JsonValue
from headgate.cluster.shape import at, mapping, sequence, text


def other_writer(obj: Json, *paths: Sequence[str]) -> str | None:
    """The newest field manager besides headgate that owns one of the paths or something in it; None without one.

    A path's parts are field names. An update takes over what it changes; who owns only a field above once made that
    one. Writers of the status are left out: they do not touch what routers show.
    """
    newest: tuple[str, str] | None = None
    for entry in sequence(at(obj, "metadata", "managedFields")):
        fields = mapping(entry)
        manager, time = text(fields.get("manager")), text(fields.get("time")) or ""
        if not manager or manager == FIELD_MANAGER or fields.get("subresource"):
            continue
        if any(_owns(fields.get("fieldsV1"), path) for path in paths) and (newest is None or (time, manager) > newest):
            newest = (time, manager)
    return newest[1] if newest else None


def _owns(fields: JsonValue, path: Sequence[str]) -> bool:
    for part in path:
        inner = mapping(fields).get(f"f:{part}")
        if inner is None:
            return False
        fields = inner
    return True
