"""--dry-run of every command that writes: what it says, that the API server checks it, and that nothing is written."""

import itertools
import json

import pytest
from typer.testing import CliRunner

from headgate.cli.main import app
from headgate.local.waiting import wait_until
from tests.cli.conftest import GROUP, Cluster
from tests.cli.samples import Document, attempt, rejection, spec, status

_marks = itertools.count(1)
IN_FLIGHT: Document = {"status": status(attempt())}
TAKEN_BACK: Document = {
    "spec": spec("support-reply-v7"),
    "status": status(attempt("Ended", outcome="RolledBack"), phase="RolledBack", weight=0, rejected=[rejection()]),
}
PAUSED: Document = {"spec": spec(paused=True), "status": status(attempt())}
VERBS: dict[str, tuple[Document, str]] = {
    "approve": (IN_FLIGHT, '{"metadata": {"annotations": {"headgate.dev/approve": "3/50"}}}'),
    "abort": (IN_FLIGHT, '{"metadata": {"annotations": {"headgate.dev/abort": "3"}}}'),
    "promote": (IN_FLIGHT, '{"metadata": {"annotations": {"headgate.dev/promote": "3"}}}'),
    "retry": (
        TAKEN_BACK,
        (
            '{"metadata": {"annotations": {"headgate.dev/retry": "3"}},'
            ' "spec": {"prompt": {"version": "support-reply-v8"}}}'
        ),
    ),
    "pause": (IN_FLIGHT, '{"spec": {"paused": true}}'),
    "resume": (PAUSED, '{"spec": {"paused": null}}'),
    "kill": (IN_FLIGHT, '{"spec": {"killSwitch": "Stable"}}'),
}


class Writes:
    """Every request that could have changed a Rollout, from the audit log, from now on."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._start = cluster.plane.audit_log.stat().st_size
        self._catch_up()
        self._start = cluster.plane.audit_log.stat().st_size

    def since(self) -> list[str]:
        self._catch_up()
        entries = [json.loads(line) for line in self._text().splitlines()]
        writing = ("create", "update", "patch", "delete", "deletecollection")
        return [
            entry["requestURI"]
            for entry in entries
            if entry["verb"] in writing and entry["objectRef"]["resource"] == "rollouts"
        ]

    def _catch_up(self) -> None:
        """The log is written in the order of answers: once a request of our own is in it, all earlier ones are."""
        mark = f"marked-{next(_marks)}"
        self._cluster.api.list_namespaced_custom_object(*GROUP, "ai", "rollouts", label_selector=mark)
        wait_until(lambda: mark in self._text(), timeout=20, otherwise=lambda: "the audit log lags")

    def _text(self) -> str:
        with self._cluster.plane.audit_log.open() as log:
            log.seek(self._start)
            return log.read()


@pytest.mark.parametrize("verb", VERBS)
def test_of_the_client_says_what_it_would_write_and_sends_no_write(cluster: Cluster, verb: str) -> None:
    fields, patch = VERBS[verb]
    before = cluster.exists("support-reply", **fields)
    writes = Writes(cluster)
    result = cluster.headgate(verb, "support-reply", "-n", "ai", "--dry-run=client", "--wait")
    assert result.exit_code == 0, result.output
    said, would = result.stdout.splitlines()
    assert said.startswith("ai/support-reply: ")
    assert said.endswith(" (dry run)")
    assert would == f"would write {patch}"
    assert writes.since() == []
    assert cluster.get("support-reply") == before


@pytest.mark.parametrize("verb", VERBS)
def test_of_the_server_is_one_request_that_stores_nothing(cluster: Cluster, verb: str) -> None:
    fields, patch = VERBS[verb]
    before = cluster.exists("support-reply", **fields)
    writes = Writes(cluster)
    result = cluster.headgate(verb, "support-reply", "-n", "ai", "--dry-run", "server", "--wait")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].endswith(" (server dry run)")
    assert result.stdout.splitlines()[1] == f"would write {patch}"
    [uri] = writes.since()
    assert "dryRun=All" in uri
    assert cluster.get("support-reply") == before


@pytest.mark.parametrize("dry_run", ["client", "server"])
def test_refuses_what_the_real_one_refuses(cluster: Cluster, dry_run: str) -> None:
    cluster.exists("support-reply", status=status())
    real = cluster.headgate("abort", "support-reply", "-n", "ai")
    dry = cluster.headgate("abort", "support-reply", "-n", "ai", f"--dry-run={dry_run}")
    assert (dry.exit_code, dry.stderr) == (real.exit_code, real.stderr)
    assert real.exit_code == 1
    assert cluster.headgate("abort", "nowhere", "-n", "ai", f"--dry-run={dry_run}").exit_code == 3


def test_of_what_stands_there_says_so(cluster: Cluster) -> None:
    cluster.exists("support-reply", **PAUSED)
    result = cluster.headgate("pause", "support-reply", "-n", "ai", "--dry-run=server")
    assert result.stdout.endswith("judging and reverting go on (unchanged) (server dry run)\n")


def test_of_the_server_is_refused_by_the_servers_own_rules(cluster: Cluster) -> None:
    """A policy in the cluster forbids the kill switch: only the server's dry run can know that."""
    cluster.exists("support-reply", **IN_FLIGHT)
    with cluster.without_legacy("ask the night shift"):
        kill = ("kill", "support-reply", "-n", "ai", "--to", "Legacy")
        assert cluster.headgate(*kill, "--dry-run=client").exit_code == 0
        dry, real = cluster.headgate(*kill, "--dry-run=server"), cluster.headgate(*kill)
        assert (dry.exit_code, dry.stderr) == (real.exit_code, real.stderr)
        assert dry.exit_code == 1
        assert "ask the night shift" in dry.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_a_value_must_be_one_of_kubectls(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "support-reply", "--dry-run=yes"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "'none', 'client', 'server'" in result.stderr
