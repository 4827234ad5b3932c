"""A YAML document as plain values that remember their lines. Knows no kind of object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"
Path: TypeAlias = "Sequence[str | int]"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line that it begins in, counted from 1."""

    line: int
    size: int
    """How many values it is made of, each alias counted as what it stands for."""


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """A value without parts."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Sequenced(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapped(Node):
    """Fields by name, each with the line of its name."""

    fields: dict[str, tuple[int, Node]]


def plain(node: Node) -> Plain:
    """The value without its lines."""
    match node:
        case Scalar(value=value):
            return value
        case Sequenced(items=items):
            return [plain(item) for item in items]
        case Mapped(fields=fields):
            return {name: plain(inner) for name, (_, inner) in fields.items()}
        case _:
            raise TypeError(type(node).__name__)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, or one item of a List in it."""

    file: str
    root: Mapped

    def line(self, path: Path = ()) -> int:
        """The line of what a path of names and indices leads to, or of the nearest thing around it."""
        line = self.root.line
        node: Node = self.root
        for part in path:
            found = _step(node, part)
            if found is None:
                return line
            line, node = found
        return line

    def node(self, path: Path) -> Node | None:
        """What a path leads to; None when it leads nowhere."""
        node: Node = self.root
        for part in path:
            found = _step(node, part)
            if found is None:
                return None
            _, node = found
        return node

    def text(self, path: Path) -> str | None:
        """The text that a path leads to; None when there is no text."""
        node = self.node(path)
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def items(self) -> Iterator["Document"]:
        """The objects of a List, or else this one alone."""
        listed = self.node(("items",))
        if self.text(("kind",)) == "List" and isinstance(listed, Sequenced):
            for item in listed.items:
                if isinstance(item, Mapped):
                    yield Document(self.file, item)
        else:
            yield self


def _step(node: Node, part: str | int) -> tuple[int, Node] | None:
    match node, part:
        case Mapped(fields=fields), str(name):
            return fields.get(name)
        case Sequenced(items=items), int(index) if 0 <= index < len(items):
            return items[index].line, items[index]
        case _:
            return None
