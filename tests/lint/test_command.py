"""`headgate lint` from the outside: several files, the standard input, JSON, exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from headgate.cli.main import main

GATE = """apiVersion: headgate.dev/v1alpha1
kind: QualityGate
metadata: {name: g}
spec: {checks: [{name: c, query: up, critical: {above: 1}}]}
"""
PROMPT = """apiVersion: headgate.dev/v1alpha1
kind: PromptVersion
metadata: {name: v}
spec: {family: f, model: {provider: p, name: m}, messages: [{role: user, content: hello}]}
"""
ROLLOUT = """apiVersion: headgate.dev/v1alpha1
kind: Rollout
metadata: {name: r}
spec:
  prompt: {family: f, version: v}
  delivery: [{flag: {name: f, key: id, configMap: {name: flags}}}]
  gates: [{name: g}]
  steps: [{weight: 100}]
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("gate.yaml", GATE), ("prompt.yaml", PROMPT), ("rollout.yaml", ROLLOUT)):
        (tmp_path / name).write_text(text)
    return tmp_path


def lint(*arguments: str, given: str | None = None) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-c", "from headgate.cli.main import main; main()", "lint", *arguments],
        input=given,
        stdin=None if given is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n---\n"])
def test_nothing_at_all_is_an_error(text: str) -> None:
    assert lint("-", given=text) == (
        1,
        "<stdin>:1: the file holds no object, so nothing was checked, name one that does\n",
    )


def test_an_empty_file_among_others_is_a_warning(files: Path) -> None:
    (files / "left-over.yaml").write_text("# moved to the other repository\n")
    code, said = lint("rollout.yaml", "gate.yaml", "prompt.yaml", "left-over.yaml")
    assert (code, said.count("\n")) == (0, 1)
    assert said.startswith("left-over.yaml:1: warning: the file holds no object")


@pytest.mark.usefixtures("files")
def test_files_that_refer_to_each_other_are_clean_together() -> None:
    assert lint("rollout.yaml", "gate.yaml", "prompt.yaml") == (0, "")


@pytest.mark.usefixtures("files")
def test_a_file_named_twice_is_read_once() -> None:
    assert lint("gate.yaml", "gate.yaml") == (0, "")


@pytest.mark.usefixtures("files")
def test_a_warning_fails_nothing() -> None:
    status, printed = lint("rollout.yaml")
    assert status == 0
    assert printed.startswith("rollout.yaml:5: warning: PromptVersion v is not among the given files, ")


@pytest.mark.usefixtures("files")
def test_the_standard_input_is_a_file() -> None:
    status, printed = lint("-", "prompt.yaml", given=GATE.replace("above: 1", "above: 1.5"))
    assert status == 1
    assert printed.startswith("<stdin>:4: spec.checks[0].critical.above: 1.5 is no text, a spec holds no floats, ")


@pytest.mark.usefixtures("files")
def test_json_tells_the_parts_apart() -> None:
    status, printed = lint("-", "-o", "json", given=GATE.replace("critical", "critcal"))
    assert status == 1
    assert json.loads(printed) == [
        {
            "file": "<stdin>",
            "line": 4,
            "severity": "error",
            "what": "spec.checks[0].critcal is an unknown field",
            "why": "it would be dropped",
            "fix": "did you mean critical?",
        }
    ]
    assert lint("gate.yaml", "-o", "json") == (0, "[]\n")


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_read(files: Path) -> None:
    os.mkfifo(files / "pipe")
    status, printed = lint("missing.yaml", ".", "pipe", "rollout.yaml")
    lines = printed.splitlines()
    assert status == 1
    assert (
        lines[0] == "missing.yaml:1: the file cannot be read, No such file or directory, name a file that can be read"
    )
    assert lines[1].startswith(".:1: the file cannot be read, Is a directory, ")
    assert lines[2].startswith("pipe:1: warning: the file holds no object, ")
    assert lines[3].startswith("rollout.yaml:5: warning: ")


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["headgate", "lint", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert "headgate lint rollout.yaml" in capsys.readouterr().out
