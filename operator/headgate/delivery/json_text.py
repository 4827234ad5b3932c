"""Edits one object inside a JSON text and leaves every other byte as its author wrote it. Knows no format."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from headgate.cluster.objects import Json, JsonValue

_SPACE = re.compile(r"[ \t\n\r]*")
_INDENT = 2


class NotJson(ValueError):
    """The text is not JSON, or not of the needed shape; the message says why."""


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse(text: str) -> JsonValue:
    """The value of a JSON text. Raises NotJson."""
    try:
        value: JsonValue = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error
    return value


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object, and where in the text its value stands."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ObjectText:
    """A JSON text and one object in it, a member of the outermost one, that is edited member by member.

    An edit costs no second reading of the text: many Rollouts may change one large document in one go.
    """

    text: str
    document: Json
    """The whole text's value."""
    _name: str
    _members: tuple[_Member, ...]
    _opening: int
    """Where the object's opening brace stands."""

    @classmethod
    def read(cls, text: str, name: str) -> "ObjectText":
        """The text with the object of that name; added, empty, where there is none.

        Raises NotJson when the text is no JSON object, when what is named is none, or when the name stands there twice
        (parsers differ in which one counts).
        """
        document = parse(text)
        if not isinstance(document, dict):
            raise NotJson("not an object")
        opening = _skip(text, 0)
        outer = _members(text, opening)
        named = [member for member in outer if member.name == name]
        if len(named) > 1:
            raise NotJson(f"{name!r} stands there twice")
        if not named:
            return cls.read(_added(text, outer, opening, name, "{}", depth=1)[0], name)
        if not isinstance(document[name], dict):
            raise NotJson(f"{name!r} is not an object")
        return cls(text, document, name, tuple(_members(text, named[0].start)), named[0].start)

    def with_member(self, name: str, value: JsonValue) -> "ObjectText":
        """The text with the member replaced, or added as the last one. Raises NotJson when it stands there twice."""
        at = [index for index, member in enumerate(self._members) if member.name == name]
        if len(at) > 1:
            raise NotJson(f"{name!r} stands there twice")
        inner = self.document[self._name]
        document: Json = {**self.document, self._name: {**(inner if isinstance(inner, dict) else {}), name: value}}
        rendered = json.dumps(value)
        if _is_pretty(self.text):
            rendered = json.dumps(value, indent=_INDENT).replace("\n", "\n" + " " * (_INDENT * 2))
        if not at:
            text, added = _added(self.text, self._members, self._opening, name, rendered, depth=2)
            return ObjectText(text, document, self._name, (*self._members, added), self._opening)
        old = self._members[at[0]]
        by = len(rendered) - (old.end - old.start)
        members = (
            *self._members[: at[0]],
            _Member(name, old.start, old.end + by),
            *(_Member(after.name, after.start + by, after.end + by) for after in self._members[at[0] + 1 :]),
        )
        text = self.text[: old.start] + rendered + self.text[old.end :]
        return ObjectText(text, document, self._name, members, self._opening)


def _members(text: str, opening: int) -> list[_Member]:
    """The members of the object that opens there, in order. The text must have been parsed before."""
    found: list[_Member] = []
    position = _skip(text, opening + 1)
    while text[position] != "}":
        if text[position] == ",":
            position = _skip(text, position + 1)
        name, position = _DECODER.raw_decode(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found.append(_Member(name, start, end))
        position = _skip(text, end)
    return found


def _added(
    text: str, inside: Sequence[_Member], opening: int, name: str, rendered: str, *, depth: int
) -> tuple[str, _Member]:
    """The text with one member more at the end of the object, and where that stands."""
    pretty = _is_pretty(text)
    line = "\n" + " " * (_INDENT * depth) if pretty else ""
    if inside:
        cut = following = inside[-1].end
        lead, trail = "," + (line or " "), ""
    else:
        cut, following = opening + 1, _skip(text, opening + 1)
        lead, trail = line, "\n" + " " * (_INDENT * (depth - 1)) if pretty else ""
    lead += json.dumps(name) + ": "
    start = cut + len(lead)
    return text[:cut] + lead + rendered + trail + text[following:], _Member(name, start, start + len(rendered))


def _is_pretty(text: str) -> bool:
    """Whether the text's author breaks lines; whoever wrote an empty object has not said."""
    stripped = text.strip()
    return "\n" in stripped or stripped == "{}"


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
