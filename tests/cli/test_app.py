"""The command line as a whole: help, quick start, completion, connections, and the commands that need no cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from headgate.cli.exit_statuses import MEANINGS
from headgate.cli.main import app
from headgate.local.processes import free_port
from tests.cli.conftest import Cluster

OWED = {
    ("run",), ("demo",), ("local", "up"), ("local", "down"), ("crds",), ("lint",), ("status",), ("watch",),
    ("backup",), ("restore",),
    ("approve",), ("abort",), ("retry",), ("promote",), ("pause",), ("resume",), ("kill",), ("git-revert",),
}  # fmt: skip
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
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "300"})
    assert result.exit_code == 0
    assert f"  headgate {' '.join(command)}" in result.stdout
    assert f"Exit status: 0 {MEANINGS[next(iter(MEANINGS))]}" in result.stdout


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


def test_rollouts_names_are_completed(cluster: Cluster) -> None:
    for name in ("support-reply", "support-chat", "ranker"):
        cluster.exists(name)
    done = _completed("headgate abort -n ai ", **cluster.environment)
    assert done.stdout.split() == ["ranker", "support-chat", "support-reply"]


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
