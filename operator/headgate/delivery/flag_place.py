"""Which ConfigMaps a flag may be written into: new ones, and those that somebody who may write them made for flags.

Whoever may write Rollouts need not be allowed to write ConfigMaps. So an existing one is not touched unless it says by
itself that flags belong into it; and headgate's own are never a place for flags.
"""

import re

from headgate.cluster import shape
from headgate.cluster.objects import WATCH_LABEL, Json
from headgate.delivery import json_text
from headgate.delivery.backends import OWNER

_RESERVED = re.compile(r".*-(record|compiled|attempt-[0-9]+-[0-9a-f]{8})")
_MANAGED_BY = "app.kubernetes.io/managed-by"


def is_reserved(name: str) -> bool:
    """Whether a ConfigMap of that name is, or will be, a record, a manifest or a compiled prompt of headgate's."""
    return _RESERVED.fullmatch(name) is not None


def fault(name: str, key: str, obj: Json | None) -> str | None:
    """Why no flag may be written there, in one line; None when one may."""
    if is_reserved(name):
        return f"ConfigMap {name}: names that end like this are headgate's own; name another one"
    if obj is None:
        return None
    labels = shape.mapping(shape.at(obj, "metadata", "labels"))
    if labels.get(_MANAGED_BY) == "headgate" or OWNER in labels or OWNER in shape.annotations(obj):
        return f"ConfigMap {name} is headgate's own, and no flag document; name another one"
    if obj.get("immutable") is True:
        return f"ConfigMap {name} is immutable; re-create it without immutable: true"
    if labels.get(WATCH_LABEL) == "true" or _holds_flags(shape.text(shape.at(obj, "data", key))):
        return None
    return (
        f"ConfigMap {name} is there, and nothing says that flags belong into it; label it {WATCH_LABEL}=true,"
        f' or let its key {key} hold {{"flags": {{}}}}, or name another one'
    )


def _holds_flags(text: str | None) -> bool:
    try:
        document = json_text.parse(text or "")
    except json_text.NotJson:
        return False
    return isinstance(document, dict) and isinstance(document.get("flags"), dict)
