"""The command line as a whole: help, quick start, completion, connections, and the commands that need no cluster."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from headgate.cli.backup.archive import Archive, save
from headgate.cli.exit_statuses import MEANINGS, ExitStatus
from headgate.cli.main import app
from headgate.local.processes import free_port
from headgate.local.waiting import wait_until
from tests.cli.conftest import Cluster

OWED = {
    ("run",), ("demo",), ("local", "up"), ("local", "down"), ("crds",), ("lint",), ("status",), ("watch",),
    ("backup",), ("restore",),
    ("approve",), ("abort",), ("retry",), ("promote",), ("pause",), ("resume",), ("kill",), ("git-revert",),
}  # fmt: skip
ACTING = {(verb,) for verb in ("approve", "abort", "retry", "promote", "pause", "resume", "kill")}
DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
BESIDE_PYTHON = Path(sys.executable).parent


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_exactly_the_owed_commands_are_there() -> None:
    root = typer.main.get_command(app)
    commands = getattr(root, "commands")  # noqa: B009 - typer's group is no public type
    found = {(name,) for name in commands if name != "local"} | {("local", name) for name in commands["local"].commands}
    assert found == OWED


@pytest.mark.parametrize("command", sorted(OWED))
def test_every_help_shows_an_example_and_the_exit_statuses(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "500"})
    assert result.exit_code == 0
    assert f"  headgate {' '.join(command)}" in result.stdout
    told = result.stdout.partition("Exit status: ")[2].partition(".\n")[0].rstrip().removesuffix(".")
    every = {f"{int(status)} {meaning}" for status, meaning in MEANINGS.items()}
    of_this = set(told.split("; "))
    assert of_this <= every
    assert of_this >= {f"{int(status)} {MEANINGS[status]}" for status in (ExitStatus.OK, ExitStatus.USAGE)}
    assert (of_this == every) is (command in ACTING)


def test_the_exit_statuses_of_the_documents_are_the_programs() -> None:
    rows = DOCUMENT.read_text().partition("## Exit statuses")[2].splitlines()
    cells = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows if row.startswith("|")]
    assert cells[2:] == [(str(int(status)), meaning) for status, meaning in MEANINGS.items()]
    assert set(MEANINGS) == set(ExitStatus)


def test_the_commands_of_the_documents_are_the_programs() -> None:
    table = DOCUMENT.read_text().partition("| --- | --- |")[2].partition("\n\n")[0]
    named = {
        tuple(words.split())
        for row in table.splitlines()
        for words in re.findall(r"`((?:local )?[a-z-]+)", row.split("|")[1] if row else "")
    }
    assert named == OWED


@pytest.mark.parametrize("before", [True, False])
def test_kubectls_options_stand_before_the_command_or_behind_it(cluster: Cluster, *, before: bool) -> None:
    cluster.exists("support-reply")
    options = ["-n", "ai", "--context", "local", "--kubeconfig", str(cluster.plane.kubeconfig)]
    words = [*options, "status"] if before else ["status", *options]
    result = CliRunner().invoke(app, words, env={"KUBECONFIG": "/nowhere"})
    assert "support-reply" in result.stdout, result.output


def test_what_stands_behind_the_command_counts(cluster: Cluster) -> None:
    cluster.exists("support-reply")
    assert cluster.headgate("-n", "ai", "status", "-n", "default").stdout == ""
    assert cluster.headgate("-n", "default", "pause", "support-reply", "--namespace", "ai").exit_code == 0


def test_a_name_before_the_command_is_checked_too() -> None:
    assert CliRunner().invoke(app, ["-n", "../x", "status"]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["-n", "staging", "restore", "headgate.json"], "restore takes no --namespace"),
        (["--context", "prod", "run", "--config", "headgate.yaml"], "run takes no --context"),
        (["-n", "ai", "lint", "rollout.yaml"], "lint takes no --namespace"),
        (["--kubeconfig", "x", "local", "down", "--dir", "x"], "local takes no --kubeconfig"),
    ],
)
def test_an_option_before_a_command_that_has_none_of_it_is_refused(words: list[str], option: str) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert result.stderr == f"error: headgate {option}\n"


@pytest.mark.parametrize("name", ["reply\n", "Reply", "a..b", ""])
def test_what_is_no_name_never_becomes_a_part_of_a_url(name: str) -> None:
    result = CliRunner().invoke(app, ["status", name], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "is no name of a Kubernetes object" in result.stderr


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "0", "-5", "1e12"])
def test_a_wait_that_cannot_be_is_refused_before_anything_is_written(seconds: str) -> None:
    words = ["abort", "reply", "--wait", "--timeout", seconds]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200", "KUBECONFIG": "/nowhere"})
    assert result.exit_code == 2
    assert "is not in the range of 0.1 to 604800 seconds" in result.stderr


MISTAKEN = {
    "a list": "[1, 2]",
    "no YAML": "a: [",
    "empty": "",
    "text": "just text",
    "without a context list": "{contexts: 3, current-context: a}",
    "an unknown context": "{contexts: [{name: a, context: {cluster: c, user: u}}], current-context: b,"
    " clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u, user: {}}]}",
}


@pytest.mark.parametrize("command", [["status"], ["backup", "-A"], ["restore", "headgate.json"]])
@pytest.mark.parametrize("mistake", MISTAKEN)
def test_a_mistake_in_the_kubeconfig_is_one_of_the_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], mistake: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Archive("2026-11-21T12:00:00Z", [], []), Path("headgate.json"))
    Path("kubeconfig").write_text(MISTAKEN[mistake])
    result = CliRunner().invoke(app, [*command, "--kubeconfig", "kubeconfig"])
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_later_releases_command_is_unknown() -> None:
    result = CliRunner().invoke(app, ["history"])
    assert result.exit_code == 2
    assert "No such command 'history'" in result.stderr


def test_the_start_imports_nothing_that_takes_time() -> None:
    slow = "rich pydantic kubernetes kopf aiohttp yaml requests urllib3 asyncio cryptography"
    done = _python(f"import sys, headgate.cli.main; print([m for m in '{slow}'.split() if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_run_never_imports_rich(tmp_path: Path) -> None:
    # It ends at the missing kubeconfig, with the whole operator imported.
    (tmp_path / "headgate.yaml").write_text("")
    (tmp_path / "kubeconfig").write_text("{}")
    done = _python(
        "import sys\n"
        f"files = ['--config', '{tmp_path}/headgate.yaml', '--kubeconfig', '{tmp_path}/kubeconfig']\n"
        "sys.argv = ['headgate', 'run', *files]\n"
        "from headgate.cli.main import main\n"
        "try: main()\n"
        "finally: print('rich' in sys.modules, 'headgate.controller.operator' in sys.modules)\n"
    )
    assert done.stdout.splitlines()[-1:] == ["False True"], done.stderr


@pytest.mark.parametrize("program", ["headgate", "kubectl-headgate"])
def test_both_programs_are_the_same_app(program: str) -> None:
    done = subprocess.run([BESIDE_PYTHON / program, "status", "-h"], capture_output=True, text=True, check=True)
    assert f"Usage: {program.replace('kubectl-', 'kubectl ')} status" in done.stdout


def test_crds_prints_what_kubectl_applies_and_writes_the_same(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["crds"])
    written = CliRunner().invoke(app, ["crds", "--dir", str(tmp_path / "crds")])
    assert (printed.exit_code, written.exit_code) == (0, 0)
    documents = list(yaml.safe_load_all(printed.stdout))
    assert {each["spec"]["names"]["kind"] for each in documents} == {"Rollout", "QualityGate", "PromptVersion"}
    files = [Path(line) for line in written.stdout.splitlines()]
    assert [yaml.safe_load(file.read_text()) for file in files] == documents


def test_local_errors_are_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["local", "down", "--dir", str(tmp_path / "never")])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--http", "8080"], "write ADDR:PORT"),
        (["--http", "::1:8080"], "write ADDR:PORT"),
        (["--kubeconfig", "/nowhere/kubeconfig"], "/nowhere/kubeconfig: no such file"),
        (["--namespace", "../x"], "no name of a Kubernetes object"),
    ],
)
def test_run_refuses_wrong_arguments(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "headgate.yaml").write_text("")
    result = CliRunner().invoke(
        app, ["run", "--config", str(tmp_path / "headgate.yaml"), *arguments], env={"COLUMNS": "300"}
    )
    assert result.exit_code == 2
    assert said in result.stderr


def test_run_names_the_wrong_key_of_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "headgate.yaml"
    file.write_text("sauces: []\n")
    result = CliRunner().invoke(app, ["run", "--config", str(file)])
    assert (result.exit_code, result.stderr) == (2, f"error: {file}: sauces: unknown key; did you mean sources?\n")


@pytest.mark.parametrize("name", ["..", "a/b", "%2e%2e", "a?b", "a#b", "A"])
def test_only_names_of_objects_become_parts_of_a_url(name: str) -> None:
    for arguments in (["status", name], ["abort", name], ["status", "-n", name], ["watch", name]):
        assert CliRunner().invoke(app, arguments).exit_code == 2


def test_an_api_server_that_is_not_there(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(_kubeconfig(f"https://127.0.0.1:{free_port()}"))
    result = CliRunner().invoke(app, ["status", "--kubeconfig", str(kubeconfig)])
    assert result.exit_code == 4
    assert result.stderr.startswith("error: rollouts: the API server https://127.0.0.1:")
    assert "Connection refused" in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_kubeconfig_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status"], env={"KUBECONFIG": str(tmp_path / "none")})
    assert result.exit_code == 2
    assert "give --kubeconfig FILE or set KUBECONFIG" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_context_names_the_known_ones(cluster: Cluster) -> None:
    result = cluster.headgate("status", "--context", "prod")
    assert result.exit_code == 2
    assert f"--context prod: not in {cluster.plane.kubeconfig}; it has local" in result.stderr


def test_the_contexts_namespace_is_the_default(cluster: Cluster, tmp_path: Path) -> None:
    cluster.exists("support-reply")
    content = yaml.safe_load(cluster.plane.kubeconfig.read_text())
    content["contexts"][0]["context"]["namespace"] = "ai"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(content))
    assert "support-reply" in cluster.headgate("status", "--kubeconfig", str(kubeconfig)).stdout
    assert cluster.headgate("status").stdout == ""


def _completed(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BESIDE_PYTHON / "headgate"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={
            **os.environ,
            "_HEADGATE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split())),
            **environment,
        },
    )


@pytest.mark.parametrize("words", ["headgate abort -n ai ", "headgate -n ai abort "])
def test_rollouts_names_are_completed(cluster: Cluster, words: str) -> None:
    known = ["ranker", "support-chat", "support-reply"]
    for name in known:
        cluster.exists(name)
    # On a busy machine it gives up, as it must, and the person presses the key again.
    wait_until(
        lambda: _completed(words, **cluster.environment).stdout.split() == known,
        timeout=60,
        otherwise=lambda: "nothing is completed",
    )


def test_completion_is_silent_without_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(_kubeconfig("https://192.0.2.1:6443"))
    done = _completed("headgate abort ", KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert (done.stdout.strip(), done.stderr) == ("", "")


def _kubeconfig(server: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "x"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
    )
