"""Puts documents together from the parser's events, without trusting them: sizes, depths, aliases and tags are bounded.

Composing nodes by recursion, as PyYAML would, ends the process on deep nesting. Knows no kind of object.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from headgate.cli.lint.document import Mapped, Node, Scalar, Sequenced
from headgate.cli.lint.scalars import ScalarError, scalar_value
from headgate.cli.plain_scalars import field_name

_MOST_VALUES = 100_000
_DEEPEST = 100
_MERGE = "<<"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableError(Exception):
    """A document cannot be read; it says in which line, what, why, and the fix."""

    def __init__(self, line: int, what: str, why: str, fix: str) -> None:
        super().__init__(what)
        self.line, self.what, self.why, self.fix = line, what, why, fix


def roots(text: str) -> Iterator[Node]:
    """The roots of a text's documents, aliases and merges resolved. Raises UnreadableError and yaml.YAMLError."""
    composer = Composer()
    for event in yaml.parse(text, Loader=_LOADER):
        root = composer.take(event)
        if root is not None:
            yield root
            composer = Composer()


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come."""

    line: int
    anchor: str | None
    is_mapping: bool
    size: int = 1
    items: list[Node] = field(default_factory=list)
    fields: dict[str, tuple[int, Node]] = field(default_factory=dict)
    merged: list[Mapped] = field(default_factory=list)
    key: tuple[str, int] | None = None


@dataclass(slots=True)
class Composer:
    """Puts one document together from events."""

    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> Node | None:
        """Takes the next event; returns the document's root when it is complete."""
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        match event:
            case yaml.ScalarEvent():
                return self._add_scalar(event, line)
            case yaml.AliasEvent():
                if event.anchor not in self.anchors:
                    raise UnreadableError(line, f"*{event.anchor} refers to nothing before it", "", "write it out")
                return self._add(self.anchors[event.anchor], line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                if len(self.stack) >= _DEEPEST:
                    raise UnreadableError(line, f"nested more than {_DEEPEST} deep", "no resource is", "write less")
                self.stack.append(_Open(line, event.anchor, isinstance(event, yaml.MappingStartEvent)))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                return self._close()
            case _:
                pass
        return None

    def _add_scalar(self, event: yaml.ScalarEvent, line: int) -> Node | None:
        try:
            value = scalar_value(event.value, event.tag, is_plain=event.implicit[0] and event.tag is None)
        except ScalarError as error:
            raise UnreadableError(line, *error.parts) from None
        top = self.stack[-1] if self.stack else None
        is_name = top is not None and top.is_mapping and top.key is None
        node = Scalar(line, 1, field_name(value) if is_name else value)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return self._add(node, line)

    def _close(self) -> Node | None:
        done = self.stack.pop()
        node: Node
        if done.is_mapping:
            fields = {name: found for mapping in reversed(done.merged) for name, found in mapping.fields.items()}
            node = Mapped(done.line, done.size, {**fields, **done.fields})
        else:
            node = Sequenced(done.line, done.size, tuple(done.items))
        if done.anchor is not None:
            self.anchors[done.anchor] = node
        return self._add(node, done.line)

    def _add(self, node: Node, line: int) -> Node | None:
        if not self.stack:
            return node
        top = self.stack[-1]
        top.size += node.size
        if top.size > _MOST_VALUES:
            raise UnreadableError(
                line, f"more than {_MOST_VALUES} values", "aliases count as what they stand for", "write fewer"
            )
        if not top.is_mapping:
            top.items.append(node)
        elif top.key is None:
            self._begin_field(top, node, line)
        else:
            self._end_field(top, node)
        return None

    def _begin_field(self, top: _Open, node: Node, line: int) -> None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            raise UnreadableError(line, "a field's name is no text", "JSON has no such names", "write a plain word")
        if node.value in top.fields:
            raise UnreadableError(
                line, f"{node.value!r} stands twice", f"also in line {top.fields[node.value][0]}", "remove one of them"
            )
        top.key = (node.value, line)

    def _end_field(self, top: _Open, node: Node) -> None:
        assert top.key is not None  # noqa: S101 - told by the caller's branch
        name, line = top.key
        top.key = None
        if name != _MERGE:
            top.fields[name] = (line, node)
            return
        sources = node.items if isinstance(node, Sequenced) else (node,)
        for source in sources:
            if not isinstance(source, Mapped):
                raise UnreadableError(line, "<< merges something that has no fields", "", "merge a mapping")
            top.merged.append(source)
