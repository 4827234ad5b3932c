"""`kubectl headgate`: a real kubectl finds the plugin on the PATH, hands it everything, and ends as it does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.local.binaries import binary
from tests.cli.conftest import Cluster
from tests.cli.samples import attempt, status

Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def program() -> Path:
    return binary("kubectl")


@pytest.fixture
def kubectl(cluster: Cluster, program: Path, tmp_path: Path) -> Kubectl:
    """kubectl with nothing but its plugin on the PATH, and the cluster in its environment."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        known = {"PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path), **cluster.environment}
        return subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**{name: os.environ[name] for name in ("LANG",) if name in os.environ}, **known, **environment},
        )

    return run


def test_kubectl_knows_it(kubectl: Kubectl) -> None:
    listed = kubectl("plugin", "list")
    assert f"{Path(sys.executable).parent}/kubectl-headgate\n" in listed.stdout


def test_it_acts_on_the_cluster_that_kubectl_is_set_to(kubectl: Kubectl, cluster: Cluster) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    shown = kubectl("headgate", "status", "-n", "ai")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "support-reply" in shown.stdout
    aborted = kubectl("headgate", "-n", "ai", "abort", "support-reply")
    assert (aborted.returncode, aborted.stderr) == (0, "")
    assert aborted.stdout.startswith("ai/support-reply: aborted attempt 3: ")
    assert cluster.get("support-reply")["metadata"]["annotations"] == {"headgate.dev/abort": "3"}


@pytest.mark.parametrize("before", [True, False])
def test_kubectls_own_options_work_behind_its_name(kubectl: Kubectl, cluster: Cluster, *, before: bool) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    options = ["--kubeconfig", str(cluster.plane.kubeconfig), "--context=local", "--namespace=ai"]
    words = [*options, "pause"] if before else ["pause", *options]
    paused = kubectl("headgate", *words, "support-reply", "--dry-run=server", KUBECONFIG="/nowhere")
    assert paused.returncode == 0, paused.stderr
    assert paused.stdout.splitlines()[0].endswith("(server dry run)")


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (("status", "nowhere"), 3),
        (("abort", "support-reply"), 1),
        (("status", "--context", "other"), 2),
        (("status", "--kubeconfig", "/nowhere"), 2),
    ],
    ids=["nothing of that name", "a refusal", "a wrong context", "a wrong file"],
)
def test_kubectl_ends_with_its_exit_status(
    kubectl: Kubectl, cluster: Cluster, words: tuple[str, ...], ends: int
) -> None:
    cluster.exists("support-reply", status=status())
    ended = kubectl("headgate", "-n", "ai", *words)
    assert ended.returncode == ends
    assert ended.stderr.startswith("error: ")


def test_it_calls_itself_by_the_name_that_was_typed(kubectl: Kubectl) -> None:
    assert "Usage: kubectl headgate abort" in kubectl("headgate", "abort", "--help").stdout
