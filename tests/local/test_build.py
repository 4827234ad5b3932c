"""A program is built once from what it depends on, and never half."""

import subprocess
import threading
from pathlib import Path

import pytest

from headgate.local import cache, recipes, toolchain
from headgate.local.build import build_or_reuse
from headgate.local.errors import LocalError
from headgate.local.recipes import Recipe

PROGRAM = 'package main\n\nfunc main() { println("hello") }\n'


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A Go module without dependencies, and an empty cache."""
    try:
        go = toolchain.find()
    except LocalError as error:
        pytest.skip(str(error))
    # Go keeps its own cache under XDG_CACHE_HOME too; the standard library shall not be compiled for each test.
    own = subprocess.run([go.go, "env", "GOCACHE"], capture_output=True, text=True, check=True)
    monkeypatch.setenv("GOCACHE", own.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(recipes, "GO_MODULES", tmp_path / "gomodules")
    module = tmp_path / "gomodules" / "hello"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module example.test/hello\n\ngo 1.26\n")
    (module / "main.go").write_text(PROGRAM)
    return Recipe("hello", "hello", ".", oldest=(1, 0))


def test_a_program_is_built_once(hello: Recipe, capsys: pytest.CaptureFixture[str]) -> None:
    program = build_or_reuse(hello)
    assert subprocess.run([program], capture_output=True, text=True, check=True).stderr == "hello\n"
    assert "building hello (once): done after 0:" in capsys.readouterr().err
    assert build_or_reuse(hello) == program
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("changed", ["main.go", "go.mod", "go.sum"])
def test_a_change_of_the_module_is_another_program(hello: Recipe, changed: str) -> None:
    before = hello.digest()
    with (hello.directory / changed).open("a") as file:
        file.write("// changed\n")
    assert hello.digest() != before


def test_a_change_of_the_flags_is_another_program(hello: Recipe) -> None:
    tagged = Recipe("hello", "hello", ".", oldest=(1, 0), tags="remove_all_sd")
    stamped = Recipe("hello", "hello", ".", oldest=(1, 0), variables=(("main.version", "2"),))
    assert len({hello.digest(), tagged.digest(), stamped.digest()}) == 3


def test_another_toolchain_is_another_program(hello: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    program = build_or_reuse(hello)
    go = toolchain.find()
    assert go.version in program.parent.name
    older = toolchain.Toolchain(go.go, "1.26.0", go.platform)
    monkeypatch.setattr(toolchain, "find", lambda: older)
    assert build_or_reuse(hello) != program


def test_without_a_toolchain_an_earlier_build_will_do(hello: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    program = build_or_reuse(hello)

    def missing() -> toolchain.Toolchain:
        raise LocalError("no Go")

    monkeypatch.setattr(toolchain, "find", missing)
    assert build_or_reuse(hello) == program
    (hello.directory / "main.go").write_text(PROGRAM.replace("hello", "changed"))
    with pytest.raises(LocalError, match=r"^no Go$"):
        build_or_reuse(hello)


def test_two_who_want_it_at_once_build_it_once(hello: Recipe, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[Path] = []
    askers = [threading.Thread(target=lambda: found.append(build_or_reuse(hello))) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert capsys.readouterr().err.count("done after") == 1


def test_a_build_that_fails_is_told_in_one_line_and_leaves_no_program(hello: Recipe) -> None:
    (hello.directory / "main.go").write_text('package main\n\nfunc main() { println("hello") + 1 }\n')
    with pytest.raises(LocalError, match=r"^go build for hello failed: .*main\.go:3.*build\.log\)$"):
        build_or_reuse(hello)
    kept = cache.directory() / "hello"
    assert sorted(file.name for file in kept.iterdir()) == [".lock", "build.log"]


def test_what_a_killed_build_left_is_removed(hello: Recipe) -> None:
    abandoned = cache.directory() / "hello" / ".building-abandoned"
    abandoned.mkdir(parents=True)
    (abandoned / "hello").write_text("half a program")
    build_or_reuse(hello)
    assert not abandoned.exists()
