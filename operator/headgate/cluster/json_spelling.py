r"""Which values a JSON patch can ``test``: the API server compares how they are written, not what they mean.

Its JSON (Go's) has ``\u0026`` for an ampersand and bytes of UTF-8 where ours has an escape, and 0.00001 for 1e-05.
"""

from headgate.cluster.objects import JsonValue

_ESCAPED_BY_GO = frozenset("<>&")


def is_written_alike(value: JsonValue) -> bool:
    """Whether headgate writes the value byte for byte as the API server does; members of objects in any order."""
    match value:
        case str():
            return value.isascii() and value.isprintable() and _ESCAPED_BY_GO.isdisjoint(value)
        case float():
            return False
        case list():
            return all(map(is_written_alike, value))
        case dict():
            # Their names are compared as what they mean.
            return all(map(is_written_alike, value.values()))
        case _:
            return True
