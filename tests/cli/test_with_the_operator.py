"""Each command that acts, with the operator that acts on it: `headgate run` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.local.waiting import wait_until
from tests.cli.conftest import GROUP, Cluster
from tests.cli.samples import Document, spec

RUN = "from headgate.cli.main import main; main()"
STEPS = [{"weight": 10}, {"weight": 50, "approval": "Required"}, {"weight": 100}]


def _version(name: str) -> Document:
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "PromptVersion",
        "metadata": {"name": name, "namespace": "ai"},
        "spec": {
            "family": "support-reply",
            "model": {"provider": "openai", "name": "gpt-4.1"},
            "messages": [{"role": "system", "content": f"You are {name}."}],
        },
    }


@pytest.fixture
def released(cluster: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """v8 has been released over v7, and waits at 10 % for the approval of 50 %."""
    (tmp_path / "headgate.yaml").write_text("")
    operator = subprocess.Popen(
        [sys.executable, "-c", RUN, "run", "--config", str(tmp_path / "headgate.yaml"), "--namespace", "ai"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **cluster.environment},
    )
    try:
        for name in ("support-reply-v7", "support-reply-v8"):
            cluster.api.create_namespaced_custom_object(*GROUP, "ai", "promptversions", _version(name))
        cluster.applies("support-reply", _spec("support-reply-v7"), "gitops")
        # Not only Idle, as one is that waits for its first version to be compiled: v8 would become its first then.
        _until_stable(cluster, "support-reply-v7")
        cluster.applies("support-reply", _spec("support-reply-v8"), "gitops")
        _until(cluster, "AwaitingApproval")
        yield cluster
    finally:
        operator.terminate()
        assert operator.wait(20) == 0
        cluster.api.delete_collection_namespaced_custom_object(*GROUP, "ai", "promptversions")


def _spec(version: str) -> Document:
    return spec(version, gates=[], steps=STEPS, bakeFor="1h")


def _until(cluster: Cluster, phase: str) -> None:
    _until_told(cluster, lambda status: status.get("phase") == phase)


def _until_stable(cluster: Cluster, version: str) -> None:
    _until_told(cluster, lambda status: status.get("stable", {}).get("version") == version)


def _until_told(cluster: Cluster, is_so: Callable[[Document], bool]) -> None:
    def told() -> Document:
        status: Document = cluster.get("support-reply").get("status", {})
        return status

    wait_until(lambda: is_so(told()), timeout=30.0, otherwise=lambda: str(told()))


def _does(cluster: Cluster, *arguments: str) -> Document:
    """The Rollout after a command that waited for the operator."""
    result = cluster.headgate(*arguments, "support-reply", "-n", "ai", "--wait", "--timeout", "30")
    assert result.exit_code == 0, result.output
    return cluster.get("support-reply")


def test_each_command_is_acted_upon(released: Cluster) -> None:
    _does(released, "pause")
    _until(released, "Paused")
    _does(released, "resume")
    _until(released, "AwaitingApproval")

    _does(released, "approve")
    _until(released, "Baking")
    assert released.get("support-reply")["status"]["weight"] == 100

    aborted = _does(released, "abort")
    assert aborted["status"]["phase"] == "RolledBack"
    assert aborted["spec"]["prompt"]["version"] == "support-reply-v7"

    _does(released, "retry")
    _until(released, "AwaitingApproval")
    _does(released, "promote")
    _until(released, "Baking")
    _does(released, "promote")
    _until(released, "Idle")
    assert released.get("support-reply")["status"]["stable"]["version"] == "support-reply-v8"

    _does(released, "kill")
    _until(released, "Killed")
    _does(released, "kill", "--to", "Off")
    _until(released, "Idle")

    applied = released.applies("support-reply", _spec("support-reply-v8"), "gitops")
    assert applied["spec"]["killSwitch"] == "Off"
