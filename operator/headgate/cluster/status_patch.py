"""The least merge patch that turns one status into another. Knows no resource."""

from collections.abc import Mapping

from pydantic import BaseModel

from headgate.cluster.objects import Json


def dumped(status: BaseModel) -> Json:
    """A status as it stands in the object: aliases, nothing that is None."""
    content: Json = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return content


def merge_patch(committed: Mapping[str, object], wanted: Json) -> Json:
    """What must change: what is gone as null, lists whole; empty when nothing does."""
    patch: Json = {name: None for name in committed if name not in wanted}
    for name, value in wanted.items():
        known = committed.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            inner = merge_patch(known, value)
            if inner:
                patch[name] = inner
        elif name not in committed or known != value:
            patch[name] = value
    return patch
