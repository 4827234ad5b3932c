"""Changes values of a YAML text where they stand, so that comments and everything else stay as they are.

What cannot be done without touching more is refused: the result is read again and must be what was asked for.
"""

import json
import re
from dataclasses import dataclass

from headgate.cli.git_revert.places import (
    ByHandError,
    Entry,
    Mapping,
    Node,
    Place,
    Plain,
    Scalar,
    Sequence,
    plain,
    shared_in,
)
from headgate.cli.plain_scalars import is_text
from headgate.cli.yaml_writing import BROKEN, as_yaml

_PLAIN = re.compile(r"-{0,2}[A-Za-z0-9_./](?:[-A-Za-z0-9_./@+=:]*[-A-Za-z0-9_./@+=])?")


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

    def change(self, node: Node, wanted: Plain, key: Place | None = None) -> list[Edit]:
        """What turns a node into the wanted value; nothing when it holds it. ``key`` is the field that holds it."""
        if _same(plain(node), wanted):
            return []
        if node.shared:
            raise _more_would_change(node)
        match node, wanted:
            case Mapping(), dict() if wanted:
                return self._change_fields(node, wanted, key)
            case Sequence(), list() if len(node.items) == len(wanted):
                pairs = zip(node.items, wanted, strict=True)
                return [edit for item, value in pairs for edit in self.change(item, value)]
            case _:
                return [self._replacement(node, wanted, key)]

    def _change_fields(self, node: Mapping, wanted: dict[str, Plain], key: Place | None) -> list[Edit]:
        gone = [name for name in node.fields if name not in wanted]
        new = {name: value for name, value in wanted.items() if name not in node.fields}
        if not node.fields or len(gone) == len(node.fields) or (node.flow and len(gone) + len(new) > 1):
            return [self._replacement(node, wanted, key)]
        edits = [
            edit
            for name, entry in node.fields.items()
            if name in wanted
            for edit in self.change(entry.value, wanted[name], entry.key)
        ]
        edits += [self._removal(node, name) for name in gone]
        if new:
            edits.append(self._addition(node, new))
        return edits

    def _replacement(self, node: Node, wanted: Plain, key: Place | None) -> Edit:
        _refuse_shared(node)
        is_block = not isinstance(node, Scalar) and not node.flow
        if is_block and wanted and isinstance(wanted, dict if isinstance(node, Mapping) else list):
            return Edit(node.start, node.end, self._block(wanted, node.column))
        written = (
            _scalar(wanted, node.quote)
            if isinstance(node, Scalar) and not isinstance(wanted, dict | list)
            else _inline(wanted)
        )
        start, between = node.start, self._text[key.end : node.start] if key is not None else ""
        if key is not None and between.strip() == ":" and (is_block or node.start == node.end):
            # It moves up into the line of its field's name.
            start, written = key.end, f": {written}"
        return Edit(start, node.end, written)

    def _removal(self, node: Mapping, name: str) -> Edit:
        entry = node.fields[name]
        _refuse_shared(entry.value)
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
        dumped = as_yaml(value)
        return dumped.rstrip("\n").replace("\n", self._line_end + " " * column)


def _refuse_shared(node: Node) -> None:
    """What goes takes along every anchor in it, and an alias elsewhere would mean another one, or none."""
    if (found := shared_in(node)) is not None:
        raise _more_would_change(found)


def _more_would_change(place: Place) -> ByHandError:
    return ByHandError(place.line, "an anchor, an alias or a tag stands there, so that more would change with it")


def _flow_removal(entries: list[Entry], gone: Entry) -> Edit:
    index = entries.index(gone)
    if index + 1 < len(entries):
        return Edit(gone.key.start, entries[index + 1].key.start, "")
    return Edit(entries[index - 1].value.end, gone.value.end, "")


def _same(one: Plain, other: Plain) -> bool:
    """Whether two values are equal and of the same types: 1, 1.0 and true are three things."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _inline(value: Plain, quote: str = "") -> str:
    return _flow(value) if isinstance(value, dict | list) else _scalar(value, quote)


def _flow(value: Plain) -> str:
    """A list or mapping in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(name)}: {_inline(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    return _scalar(value, "")


def _name(name: str) -> str:
    is_plain = re.fullmatch(r"[A-Za-z_][-A-Za-z0-9_./]*", name) is not None and is_text(name)
    return name if is_plain else _scalar(name, '"')


def _scalar(value: str | float | bool | None, quote: str) -> str:
    """A value without parts, in the quotes that stood there before where it can be."""
    if not isinstance(value, str):
        return json.dumps(value)
    if quote == '"' or BROKEN.search(value):
        written = json.dumps(value, ensure_ascii=False)
        return BROKEN.sub(lambda found: f"\\U{ord(found[0]):08x}", written)
    if quote != "'" and _PLAIN.fullmatch(value) and is_text(value):
        return value
    return "'" + value.replace("'", "''") + "'"
