"""What a tenant wrote does nothing to the terminal of whoever reads it."""

import io

import pytest
from rich.console import Console

from headgate.cli.safe_text import one_line, visible
from headgate.cli.tables import Cell, Facts, Grid, Part, plain, rendered

HOSTILE = "\x1b[2Jall [bold]good[/bold]\r\n\u202egnp.exe\x9b31m\u2028"


@pytest.mark.parametrize("text", [HOSTILE, "\x07", "\x7f", "\u200b", "\ud800", "\u2066"])
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    for shown in (visible(text), one_line(text)):
        assert shown.isprintable()
        shown.encode()


def test_what_people_write_is_left_alone() -> None:
    assert visible("größer als 5 % – naïve 模型 ✓") == "größer als 5 % – naïve 模型 ✓"


def test_tables_show_markup_as_it_was_written() -> None:
    parts: list[Part] = [
        Facts((("Because", Cell(HOSTILE)),)),
        Grid(("NAME",), [[Cell("[red]x[/red] [link=http://e]")]]),
    ]
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=200).print(rendered(parts))
    assert "[red]x[/red] [link=http://e]" in out.getvalue()
    assert "[bold]good[/bold]" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
    assert "\x1b" not in plain(parts)


def test_plain_columns_are_aligned_and_never_cut_off() -> None:
    long = "x" * 300
    grid = Grid(("NAME", "WHY"), [[Cell("a"), Cell(long)], [Cell("support-reply"), Cell("-")]])
    assert plain([grid]).splitlines() == [
        "NAME            WHY",
        f"a               {long}",
        "support-reply   -",
    ]
