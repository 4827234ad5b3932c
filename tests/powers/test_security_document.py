"""docs/security.md names a test for each line, and each of those tests exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::([A-Za-z_][A-Za-z0-9_:]*))?`")


def named() -> list[tuple[str, str]]:
    """The tests that the document names: file, and class and function as pytest writes them."""
    return sorted({(file, test or "") for file, test in NAMED.findall(DOCUMENT.read_text())})


@cache
def contents(file: str) -> frozenset[str]:
    """The names of the tests in a file."""
    found = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{name}" for name in map(_test, node.body) if name}
        found.add(_test(node))
    return frozenset(found - {""})


def _test(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
        return node.name
    return ""


@pytest.mark.parametrize(("file", "test"), named(), ids=lambda each: each.rsplit("/", 1)[-1][:80] or "file")
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    assert (ROOT / file).is_file(), f"docs/security.md names {file}, which does not exist"
    assert not test or test in contents(file), f"docs/security.md names {file}::{test}, which does not exist"


def test_every_line_of_a_table_names_a_test() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    lines = [row for row in rows if not row.startswith(("| ---", "| what"))]
    assert len(lines) > 40
    assert [line for line in lines if not NAMED.search(line)] == []
