"""Programs end when they should, and only those that were started here."""

import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from headgate.local import process_identity, processes
from headgate.local.errors import LocalError
from headgate.local.waiting import wait_until

SLEEPER = "import time, sys; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


def start_python(script: str, directory: Path, *, pid_directory: Path | None = None) -> processes.Process:
    command = [sys.executable, "-c", script]
    started = processes.start("sleeper", command, directory / "sleeper.log", pid_directory=pid_directory)
    wait_until(lambda: "up" in started.log.read_text(), timeout=10, otherwise=lambda: "it did not start")
    return started


def test_a_program_that_is_asked_to_end_ends(tmp_path: Path) -> None:
    sleeper = start_python(SLEEPER, tmp_path)
    assert sleeper.is_running()
    sleeper.stop()
    assert not sleeper.is_running()
    sleeper.stop()


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = start_python(STUBBORN, tmp_path)
    stubborn.stop(grace=0.1)
    assert not Path(f"/proc/{stubborn.pid}").exists()


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"^ghost cannot be started: No such file or directory \(/no/ghost\)$"):
        processes.start("ghost", ["/no/ghost"], tmp_path / "log", pid_directory=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_an_attached_program_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from headgate.local import processes
child = processes.start("sleeper", [sys.executable, "-c", {SLEEPER!r}], Path({str(tmp_path)!r}) / "child.log")
print(child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(
            lambda: (tmp_path / "child.log").read_text() == "up\n", timeout=10, otherwise=lambda: "no child came up"
        )
        parent.kill()
    wait_until(lambda: process_identity.of(child) is None, timeout=10, otherwise=lambda: f"{child} outlived its parent")


def test_an_attached_program_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    started = []
    thread = threading.Thread(target=lambda: started.append(start_python(SLEEPER, tmp_path)))
    thread.start()
    thread.join()
    (sleeper,) = started
    assert not sleeper.wait(timeout=0.3)
    sleeper.stop()


def test_an_attached_program_is_not_reached_by_ctrl_c(tmp_path: Path) -> None:
    sleeper = start_python(SLEEPER, tmp_path)
    assert os.getpgid(sleeper.pid) != os.getpgid(0)
    sleeper.stop()


def test_a_detached_program_is_found_again_by_its_pid_file(tmp_path: Path) -> None:
    pids = tmp_path / "processes"
    sleeper = start_python(SLEEPER, tmp_path, pid_directory=pids)
    assert processes.started_in(pids) == [sleeper]
    assert os.getsid(sleeper.pid) == sleeper.pid
    sleeper.kill()
    assert [each.is_running() for each in processes.started_in(pids)] == [False]


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = start_python(SLEEPER, tmp_path)
    stale = replace(stranger, identity="some-boot/1")
    assert not stale.is_running()
    stale.stop()
    stale.kill()
    assert stranger.is_running()
    stranger.stop()


def test_a_damaged_pid_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "etcd.json").write_text("{")
    with pytest.raises(LocalError, match=r"etcd\.json: .*remove the file$"):
        processes.started_in(tmp_path)


def test_a_zombie_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE) as child:
        assert process_identity.of(child.pid) is not None
        child.send_signal(signal.SIGKILL)
        wait_until(lambda: process_identity.of(child.pid) is None, timeout=10, otherwise=lambda: "still there")


def test_a_free_port_is_one_on_which_nobody_listens() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", processes.free_port()))
        server.listen()


def test_no_port_is_offered_twice_while_who_had_it_may_be_started_again() -> None:
    offered = [processes.free_port() for _ in range(900)]
    assert len(set(offered)) == len(offered)
