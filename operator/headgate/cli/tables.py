"""Tables and facts for people: colours on a terminal, aligned columns elsewhere. Knows not what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from headgate.cli.safe_text import one_line

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text


class Tone(StrEnum):
    """How a cell is meant; the value is rich's style for it."""

    PLAIN = ""
    GOOD = "green"
    NOTABLE = "yellow"
    BAD = "bold red"
    QUIET = "dim"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and how it is meant."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns with headers. Nothing is shown of a grid without rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with one value each; empty values are left out."""

    pairs: Sequence[tuple[str, Cell]]


Part: TypeAlias = Grid | Facts


def plain(parts: Sequence[Part]) -> str:
    """The parts as text without colours, nothing cut off."""
    return "\n\n".join(text for text in (_plain_part(part) for part in parts) if text)


def rendered(parts: Sequence[Part]) -> "Group":
    """The parts for rich. Texts are never read as its markup."""
    from rich.console import Group

    shown: list[RenderableType] = []
    for part in parts:
        if (drawn := _rich_part(part)) is not None:
            shown.extend(["", drawn] if shown else [drawn])
    return Group(*shown)


def _plain_part(part: Part) -> str:
    match part:
        case Facts(pairs):
            return _aligned([(f"{name}:", one_line(cell.text)) for name, cell in pairs if cell.text])
        case Grid(headers, rows, title):
            if not rows:
                return ""
            body = _aligned([tuple(headers), *(tuple(one_line(cell.text) for cell in row) for row in rows)])
            return f"{title}\n{body}" if title else body


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = ("   ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)


def _rich_part(part: Part) -> "RenderableType | None":
    from rich.table import Table
    from rich.text import Text

    match part:
        case Facts(pairs):
            table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
            table.add_column(style="bold", no_wrap=True)
            table.add_column(overflow="fold")
            for name, cell in pairs:
                if cell.text:
                    table.add_row(Text(f"{name}:"), _text(cell))
            return table if table.row_count else None
        case Grid(headers, rows, title):
            if not rows:
                return None
            grid = Table(
                box=None,
                pad_edge=False,
                padding=(0, 2, 0, 0),
                title=Text(title, style="bold") if title else None,
                title_justify="left",
                header_style="dim",
            )
            for header in headers:
                grid.add_column(Text(header), overflow="fold")
            for row in rows:
                grid.add_row(*(_text(cell) for cell in row))
            return grid


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    return Text(one_line(cell.text), style=cell.tone.value)
