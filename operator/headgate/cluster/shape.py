"""Reads JSON that anybody may have written: the asked type, or its absence. Knows no kind of object."""

from collections.abc import Mapping, Sequence

from headgate.cluster.objects import Json, JsonValue


def mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """The object, or an empty one when it is something else or missing."""
    return value if isinstance(value, dict) else {}


def sequence(value: JsonValue) -> Sequence[JsonValue]:
    """The list, or an empty one when it is something else or missing."""
    return value if isinstance(value, list) else []


def text(value: JsonValue) -> str | None:
    """The string, or None when it is something else or missing."""
    return value if isinstance(value, str) else None


LARGEST = 2**53
"""Up to here, and down to its negative, every reader of JSON has a whole number exactly."""

_MOST_DIGITS = len(str(LARGEST))


def whole(value: JsonValue) -> int | None:
    """The whole number, or None when it is something else or missing. ``true`` is no number; ``3.0`` is 3.

    One beyond LARGEST is none: it could neither be written again nor counted on from.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and -LARGEST <= value <= LARGEST else None


def count(value: JsonValue) -> int | None:
    """The count that a string of digits spells, or None when it is something else, or beyond LARGEST."""
    digits = text(value) or ""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _MOST_DIGITS:
        return None
    return whole(int(digits))


def at(value: JsonValue, *path: str) -> JsonValue:
    """What stands at a path of nested objects; None when any part of it is missing."""
    for key in path:
        value = mapping(value).get(key)
    return value


def annotations(obj: Json) -> Mapping[str, JsonValue]:
    """An object's annotations."""
    return mapping(at(obj, "metadata", "annotations"))


def name(obj: Json) -> str:
    """An object's name."""
    return text(at(obj, "metadata", "name")) or ""


def resource_version(obj: Json) -> str:
    """An object's resourceVersion; empty when it was never stored."""
    return text(at(obj, "metadata", "resourceVersion")) or ""


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901) to a path."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
