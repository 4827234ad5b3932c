"""Whether a file of the repository may say a content that was seen in the cluster. Knows no file and no cluster."""

import json

from headgate.cluster.objects import JsonValue
from headgate.engine.content import Content


def may_say(file: Content, seen: Content) -> bool:
    """Whether what stands in the file is part of that content; Git need not say what the API server adds to it."""
    held = dict(seen.fields)
    return all(text is None or _is_part(text, held.get(path)) for path, text in file.fields)


def _is_part(text: str, of: str | None) -> bool:
    return of is not None and _is_in(json.loads(text), json.loads(of))


def _is_in(one: JsonValue, other: JsonValue) -> bool:
    match one, other:
        case dict(), dict():
            return all(name in other and _is_in(value, other[name]) for name, value in one.items())
        case list(), list():
            return len(one) == len(other) and all(map(_is_in, one, other))
        case _:
            # Python takes true for 1; numbers are one kind in JSON, whether they are written 1 or 1.0.
            return isinstance(one, bool) is isinstance(other, bool) and one == other
