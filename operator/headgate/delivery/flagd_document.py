"""What makes a document one of flagd's, so that no flag is raised in one that flagd would drop whole. No I/O."""

from collections.abc import Mapping

from headgate.cluster.objects import JsonValue

SCHEMA = "https://flagd.dev/schema/v0/flags.json"


class NotADocument(ValueError):
    """Not a flagd document; the message says where it departs from the format."""


def flags(document: JsonValue) -> Mapping[str, JsonValue]:
    """The document's flags by name. Raises NotADocument where there is no telling which flags it has."""
    if not isinstance(document, dict):
        raise NotADocument("is no JSON object")
    found = document.get("flags", {})
    if isinstance(found, list):
        raise NotADocument("holds its flags as a list; write them as an object by name")
    if not isinstance(found, dict):
        raise NotADocument("has a 'flags' that is no object")
    return found


def fault(document: JsonValue) -> str | None:
    """The first thing for which an engine of flagd would refuse the whole document; None when there is nothing.

    It asks for less than flagd's JSON schema in other people's flags: what is only untidy does not stop a release.
    """
    try:
        named = flags(document)
    except NotADocument as error:
        return str(error)
    if isinstance(document, dict):
        if not isinstance(document.get("$evaluators", {}), dict):
            return "has '$evaluators' that are no object"
        if (wrong := _metadata_fault(document.get("metadata", {}))) is not None:
            return f"has metadata {wrong}"
    for name, flag in named.items():
        if (wrong := flag_fault(flag)) is not None:
            return f"has a flag {name!r} {wrong}"
    return None


def flag_fault(flag: JsonValue) -> str | None:
    """Why an engine of flagd would refuse the flag; None when it would not."""
    if not isinstance(flag, dict):
        return "that is no object"
    if flag.get("state") not in ("ENABLED", "DISABLED"):
        return "whose state is neither ENABLED nor DISABLED"
    variants = flag.get("variants")
    if not isinstance(variants, dict) or not variants:
        return "without variants"
    if not isinstance(flag.get("defaultVariant"), str | bool | None):
        return "whose defaultVariant is no string"
    if not isinstance(flag.get("targeting", {}), dict | None):
        return "whose targeting is no object"
    if (wrong := _metadata_fault(flag.get("metadata"))) is not None:
        return f"with metadata {wrong}"
    return None


def _metadata_fault(metadata: JsonValue) -> str | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        return "that is no object"
    for key, value in metadata.items():
        if not key:
            return "with an empty key"
        if not isinstance(value, str | int | float):
            return f"whose {key!r} is neither string nor number nor boolean"
    return None
