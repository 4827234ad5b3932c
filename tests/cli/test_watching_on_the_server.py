"""`headgate watch` against a real API server, as a process of its own."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Cluster
from tests.cli.samples import attempt, spec, status

PATIENCE = 30.0
# A runner that was itself begun in the background hands SIGINT down as ignored; a terminal does not.
WATCH = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from headgate.cli.main import main; main()"
)


class Watching:
    """A running `headgate watch` and the lines that it has printed."""

    def __init__(self, cluster: Cluster, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WATCH, "watch", "-n", "ai", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **cluster.environment},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip())

    def shows(self, text: str) -> str:
        """The next line that holds the text."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            if text in line:
                return line

    def ends(self) -> int:
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def watch(cluster: Cluster) -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def start(*arguments: str) -> Watching:
        started.append(Watching(cluster, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_each_change_is_a_line_until_ctrl_c(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    watching = watch()
    assert "ai/support-reply Progressing 25% step 25 (2/4) stable support-reply-v7" in watching.shows("25%")

    cluster.exists("other", status=status(phase="Idle", weight=0))
    watching.shows("ai/other Idle 0%")
    cluster.says("support-reply", status(attempt(step=2), weight=50))
    watching.shows("Progressing 50% step 50 (3/4)")
    cluster.delete("other")
    watching.shows("ai/other was deleted")

    watching.process.send_signal(signal.SIGINT)
    assert watching.ends() == 0


def test_what_a_reader_would_not_call_a_change_is_no_line(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    watching = watch("support-reply")
    watching.shows("25%")
    cluster.says("support-reply", status(attempt(), revision=6))
    cluster.says("support-reply", status(attempt(step=2), weight=50, revision=7))
    assert "50%" in watching.shows("support-reply")


@pytest.mark.parametrize(("outcome", "expected"), [("Promoted", 0), ("RolledBack", 1)])
def test_until_end_ends_as_the_attempt_does(
    cluster: Cluster, watch: Callable[..., Watching], outcome: str, expected: int
) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    watching = watch("support-reply", "--until-end")
    watching.shows("25%")
    cluster.says("support-reply", status(attempt("Ended", outcome=outcome, reason="so it was"), weight=0))
    watching.shows(f"ai/support-reply: attempt 3 {outcome}: so it was")
    assert watching.ends() == expected


def test_until_end_waits_for_the_operator_to_see_a_new_spec(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.applies("support-reply", spec("support-reply-v7"), "gitops")
    cluster.says("support-reply", status(phase="Idle", weight=0))
    cluster.applies("support-reply", spec("support-reply-v8"), "gitops")
    watching = watch("support-reply", "--until-end")
    watching.shows("Idle")
    cluster.says("support-reply", status(attempt()))
    watching.shows("25%")
    cluster.says("support-reply", status(attempt("Ended", outcome="Promoted"), phase="Idle", weight=0))
    assert watching.ends() == 0


def test_until_end_fails_when_the_rollout_is_deleted(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    watching = watch("support-reply", "--until-end")
    watching.shows("25%")
    cluster.delete("support-reply")
    watching.shows("error: ai/support-reply: was deleted before the end")
    assert watching.ends() == 1


def test_it_goes_on_after_an_outage_of_the_api_server(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.exists("support-reply", status=status(attempt()))
    cluster.exists("gone", status=status(phase="Idle"))
    watching = watch()
    watching.shows("ai/gone")
    watching.shows("ai/support-reply")
    cluster.plane.kill_api_server()
    try:
        watching.shows("reconnecting: ")
    finally:
        cluster.plane.restart_api_server()
    cluster.says("support-reply", status(attempt(step=2), weight=50))
    watching.shows("ai/support-reply Progressing 50%")


def test_an_unknown_rollout_is_not_waited_for(cluster: Cluster) -> None:
    result = cluster.headgate("watch", "nobody", "-n", "ai")
    assert result.exit_code == 3
    assert result.stderr == "error: no rollout 'nobody' in namespace 'ai', which has none; name another with -n\n"
