"""The locks: whole, hashed, agreeing with pyproject.toml and each other, and bound to no machine's package index."""

import re
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("run", "dev", "build")
PIN = re.compile(
    r"^([a-zA-Z0-9._-]+)==([^ ;\\]+)(.*?)\\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version, *_ in PIN.findall(text(lock))}


def wanted(lock: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    base: list[str] = project["project"]["dependencies"]
    local: list[str] = project["project"]["optional-dependencies"]["local"]
    groups: dict[str, list[str]] = project["dependency-groups"]
    lines = {"run": base, "dev": base + local + groups["dev"], "build": groups["build"]}[lock]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_within_its_range(lock: str) -> None:
    locked = pins(lock)
    missed = [
        str(one) for one in wanted(lock) if not one.specifier.contains(locked.get(canonicalize_name(one.name), ""))
    ]
    assert missed == [], "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_is_a_hashed_pin_or_a_comment(lock: str) -> None:
    rest = PIN.sub("", text(lock))
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    assert re.findall(r"(?i)://|--(?:extra-)?index|--find-links|(?:^|\s)/\S+", text(lock)) == []


@pytest.mark.parametrize("lock", ["run", "build"])
def test_what_ships_is_what_was_tested(lock: str) -> None:
    tested = pins("dev")
    assert {name: tested.get(name) for name in pins(lock)} == pins(lock)


def test_this_environment_is_the_locked_one() -> None:
    locked = pins("dev")
    names = [canonicalize_name(one.name) for one in wanted("dev")]
    assert {name: installed_version(name) for name in names} == {name: locked[name] for name in names}
