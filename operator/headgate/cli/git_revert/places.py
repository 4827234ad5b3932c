"""A YAML file as values that know their places in the text, put together from events. Bounded; knows no object."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from headgate.cli.lint.scalars import ScalarError, scalar_value
from headgate.cli.plain_scalars import field_name

MOST_CHARACTERS = 2**20
ALIAS = "*"
_MOST_EVENTS = 100_000
_DEEPEST = 100

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"


class ByHandError(Exception):
    """The text cannot be changed in place without a person; the message says why. The line counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: from its first character to behind its last one."""

    start: int
    end: int
    line: int
    column: int
    shared: bool
    """Whether other values follow a change of this text: an alias, or an anchor; or it has a tag."""


@dataclass(frozen=True, slots=True)
class Scalar(Place):
    """A value without parts."""

    value: str | int | float | bool | None
    quote: str
    """``'`` or ``"`` around it, ``|`` or ``>`` before it, ``*`` for an alias, whose value is not looked up; or none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping's field."""

    key: Place
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping(Place):
    """Fields by name."""

    flow: bool
    """Whether it stands in braces."""
    fields: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Sequence(Place):
    """A list."""

    flow: bool
    items: list["Node"]


Node: TypeAlias = Scalar | Mapping | Sequence


def plain(node: Node) -> Plain:
    """The value alone."""
    match node:
        case Scalar():
            return node.value
        case Mapping():
            return {name: plain(entry.value) for name, entry in node.fields.items()}
        case Sequence():
            return [plain(item) for item in node.items]


def shared_in(node: Node) -> Node | None:
    """The first anchor, alias or tag of a value, or of anything in it; None when there is none."""
    if node.shared:
        return node
    match node:
        case Scalar():
            inner: Iterable[Node] = ()
        case Mapping():
            inner = (entry.value for entry in node.fields.values())
        case Sequence():
            inner = node.items
    return next((found for each in inner if (found := shared_in(each)) is not None), None)


def documents(text: str) -> Iterator[Node]:
    """The roots of a file's documents. Raises ByHandError for what is not YAML, or not of a sane size."""
    if len(text) > MOST_CHARACTERS:
        raise ByHandError(1, f"the file has more than {MOST_CHARACTERS} characters")
    reading = _Reading(text)
    try:
        for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            if count > _MOST_EVENTS:
                raise ByHandError(1, f"the file holds more than {_MOST_EVENTS} values")
            root = reading.take(event)
            if root is not None:
                yield root
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise ByHandError(line, f"it is not plain YAML ({error.problem}), perhaps a template") from None
    except yaml.YAMLError as error:
        raise ByHandError(1, f"it is not plain YAML ({error})") from None


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come."""

    event: yaml.CollectionStartEvent
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None


class _Reading:
    """Puts documents together without recursion, which deep nesting would overflow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack: list[_Open] = []

    def take(self, event: yaml.Event) -> Node | None:
        """Takes the next event; the root of a document when it is complete."""
        match event:
            case yaml.AliasEvent():
                return self._add(Scalar(*self._place(event, shared=True), None, ALIAS))
            case yaml.ScalarEvent():
                return self._add(self._scalar(event))
            case yaml.CollectionStartEvent():
                if len(self._stack) >= _DEEPEST:
                    raise ByHandError(_marks(event)[0].line + 1, f"it is nested more than {_DEEPEST} deep")
                self._stack.append(_Open(event))
            case yaml.CollectionEndEvent():
                return self._close(event)
            case _:
                pass
        return None

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        line = _marks(event)[0].line + 1
        try:
            value = scalar_value(event.value, event.tag, is_plain=event.implicit[0] and event.tag is None)
        except ScalarError as error:
            raise ByHandError(line, str(error)) from None
        shared = event.anchor is not None or event.tag is not None
        return Scalar(*self._place(event, shared=shared), value, event.style or "")

    def _place(self, event: yaml.Event, *, shared: bool) -> tuple[int, int, int, int, bool]:
        begin, behind = _marks(event)
        # What ends with its line, such as a text block, ends before the line's end here.
        end = begin.index + len(self._text[begin.index : behind.index].rstrip())
        return begin.index, end, begin.line + 1, begin.column, shared

    def _close(self, event: yaml.CollectionEndEvent) -> Node | None:
        done = self._stack.pop()
        begun = done.event
        flow = bool(begun.flow_style)
        children: list[Place] = [*done.items, *(entry.value for entry in done.fields.values())]
        begin, _ = _marks(begun)
        # The end of a block is reported where the next thing begins, behind comments that are not its own.
        last = max((child.end for child in children), default=begin.index)
        end = _marks(event)[1].index if flow else last
        shared = begun.anchor is not None or begun.tag is not None
        place = (begin.index, end, begin.line + 1, begin.column, shared)
        if isinstance(begun, yaml.MappingStartEvent):
            return self._add(Mapping(*place, flow, done.fields))
        return self._add(Sequence(*place, flow, done.items))

    def _add(self, node: Node) -> Node | None:
        if not self._stack:
            return node
        top = self._stack[-1]
        if isinstance(top.event, yaml.SequenceStartEvent):
            top.items.append(node)
        elif top.key is None:
            if not isinstance(node, Scalar) or node.shared:
                raise ByHandError(node.line, "a field's name is no plain word")
            top.key = node
        else:
            name = field_name(top.key.value)
            if name is None:
                raise ByHandError(top.key.line, "a field's name is no plain word")
            if name in top.fields:
                raise ByHandError(top.key.line, f"{name!r} stands twice")
            top.fields[name] = Entry(top.key, node)
            top.key = None
        return None


def _marks(event: yaml.Event) -> tuple[yaml.Mark, yaml.Mark]:
    """Where an event begins and ends; the parser of text always knows."""
    if not isinstance(event.start_mark, yaml.Mark) or not isinstance(event.end_mark, yaml.Mark):
        raise ByHandError(1, "the parser does not say where things stand")
    return event.start_mark, event.end_mark
