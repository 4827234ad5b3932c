"""Each YAML file here is linted as a user would; what is printed stands beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

from headgate.cli.lint.lint import lint
from headgate.cli.lint.reading import SourceFile

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
GOLDEN = sorted(path.name for path in HERE.glob("*.yaml"))


def run(*arguments: str, cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from headgate.cli.main import main; main()", "lint", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_file_is_answered_as_expected(name: str) -> None:
    findings = lint([SourceFile(name, (HERE / name).read_bytes())])
    printed = "".join(f"{finding.text()}\n" for finding in findings)
    assert printed == (HERE / name).with_suffix(".txt").read_text(encoding="utf-8")


def test_there_are_golden_files() -> None:
    assert len(GOLDEN) >= 4


def test_every_error_says_what_and_how_to_mend_it() -> None:
    for finding in lint([SourceFile(name, (HERE / name).read_bytes()) for name in GOLDEN]):
        assert finding.what
        assert finding.fix
        assert finding.line >= 1


def test_the_command_prints_the_same_and_fails() -> None:
    result = run("fields.yaml")
    assert result.returncode == 1
    assert result.stdout == (HERE / "fields.txt").read_text(encoding="utf-8")
    assert result.stderr == ""


def test_the_examples_are_clean() -> None:
    result = run("01-prompt-rollout.yaml", cwd=EXAMPLES)
    assert (result.returncode, result.stdout) == (0, "")
    route = run("03-http-route.yaml", cwd=EXAMPLES)
    assert route.returncode == 0
    assert [line.split(": ")[1] for line in route.stdout.splitlines()] == ["warning", "warning"]
