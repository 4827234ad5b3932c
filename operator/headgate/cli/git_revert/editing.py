"""Changes values of a YAML text where they stand, so that comments and everything else stay as they are.

What cannot be done without touching more is refused: the result is read again and must be what was asked for.
"""

import json
import re
from dataclasses import dataclass

import yaml

from headgate.cli.git_revert.places import ByHandError, Entry, Mapping, Node, Place, Plain, Scalar, Sequence, plain
from headgate.cli.lint.scalars import ScalarError, scalar_value

_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[-A-Za-z0-9_./@+=:]*[-A-Za-z0-9_./@+=])?")
_BROKEN = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_INDENT = 2


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A piece of the text, and what stands there instead."""

    start: int
    end: int
    text: str


def edited(text: str, node: Node, wanted: Plain) -> str:
    """The text in which that node holds the wanted value. Raises ByHandError."""
    edits = sorted(_Editor(text).change(node, wanted))
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Editor:
    """Finds the edits of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = "\r\n" if "\r\n" in text else "\n"

    def change(self, node: Node, wanted: Plain) -> list[Edit]:
        """What turns a node into the wanted value; nothing when it holds it."""
        if _same(plain(node), wanted):
            return []
        if node.shared:
            raise ByHandError(node.line, "an anchor, an alias or a tag stands there, so that more would change with it")
        match node, wanted:
            case Mapping(), dict() if wanted:
                return self._change_fields(node, wanted)
            case Sequence(), list() if len(node.items) == len(wanted):
                pairs = zip(node.items, wanted, strict=True)
                return [edit for item, value in pairs for edit in self.change(item, value)]
            case _:
                return [self._replacement(node, wanted)]

    def _change_fields(self, node: Mapping, wanted: dict[str, Plain]) -> list[Edit]:
        gone = [name for name in node.fields if name not in wanted]
        new = {name: value for name, value in wanted.items() if name not in node.fields}
        if not node.fields or len(gone) == len(node.fields) or (node.flow and len(gone) + len(new) > 1):
            return [self._replacement(node, wanted)]
        edits = [
            edit
            for name, entry in node.fields.items()
            if name in wanted
            for edit in self.change(entry.value, wanted[name])
        ]
        edits += [self._removal(node, name) for name in gone]
        if new:
            edits.append(self._addition(node, new))
        return edits

    def _replacement(self, node: Node, wanted: Plain) -> Edit:
        before = " " if node.start == node.end else ""
        quote = node.quote if isinstance(node, Scalar) else ""
        if not isinstance(wanted, dict | list):
            return Edit(node.start, node.end, before + _scalar(wanted, quote))
        if isinstance(node, Scalar) or node.flow or not wanted:
            return Edit(node.start, node.end, before + _flow(wanted))
        return Edit(node.start, node.end, self._block(wanted, node.column))

    def _removal(self, node: Mapping, name: str) -> Edit:
        entry = node.fields[name]
        if node.flow:
            return _flow_removal(list(node.fields.values()), entry)
        start = self._text.rfind("\n", 0, entry.key.start) + 1
        if self._text[start : entry.key.start].strip():
            raise ByHandError(entry.key.line, f"{name} begins in the line of something else")
        return Edit(start, min(self._end_of_line(entry.value) + len(self._line_end), len(self._text)), "")

    def _addition(self, node: Mapping, new: dict[str, Plain]) -> Edit:
        last = max(node.fields.values(), key=lambda entry: entry.value.end)
        if node.flow:
            inner = ", ".join(f"{_name(name)}: {_inline(value)}" for name, value in new.items())
            return Edit(last.value.end, last.value.end, f", {inner}")
        column = last.key.column
        end = self._end_of_line(last.value)
        return Edit(end, end, self._line_end + " " * column + self._block(new, column))

    def _end_of_line(self, place: Place) -> int:
        """Where the line ends in which a value ends, a comment behind it included."""
        found = self._text.find("\n", place.end)
        end = found if found >= 0 else len(self._text)
        return end - 1 if self._text[max(end - 1, 0) : end] == "\r" else end

    def _block(self, value: Plain, column: int) -> str:
        dumped: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000, indent=_INDENT)
        return dumped.rstrip("\n").replace("\n", self._line_end + " " * column)


def _flow_removal(entries: list[Entry], gone: Entry) -> Edit:
    index = entries.index(gone)
    if index + 1 < len(entries):
        return Edit(gone.key.start, entries[index + 1].key.start, "")
    return Edit(entries[index - 1].value.end, gone.value.end, "")


def _same(one: Plain, other: Plain) -> bool:
    """Whether two values are equal and of the same types: 1, 1.0 and true are three things."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _inline(value: Plain) -> str:
    return _flow(value) if isinstance(value, dict | list) else _scalar(value, "")


def _flow(value: Plain) -> str:
    """A list or mapping in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(name)}: {_inline(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    return _scalar(value, "")


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][-A-Za-z0-9_./]*", name) else json.dumps(name, ensure_ascii=False)


def _scalar(value: str | float | bool | None, quote: str) -> str:
    """A value without parts, in the quotes that stood there before where it can be."""
    if not isinstance(value, str):
        return json.dumps(value)
    if quote == '"' or _BROKEN.search(value):
        return json.dumps(value, ensure_ascii=bool(_BROKEN.search(value)))
    if quote != "'" and _PLAIN.fullmatch(value) and _reads_as(value):
        return value
    return "'" + value.replace("'", "''") + "'"


def _reads_as(value: str) -> bool:
    """Whether a plain scalar of that text is that text."""
    try:
        return scalar_value(value, None, is_plain=True) == value
    except ScalarError:
        return False
