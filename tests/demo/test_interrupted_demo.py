"""Ctrl-C at any moment leaves no process and no temporary directory behind."""

import signal
from pathlib import Path

import pytest

from headgate.local.waiting import wait_until
from tests.demo.demo_process import DemoProcess

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="descendants are found by /proc")


def _runs(demo: DemoProcess, program: str) -> bool:
    return any(program in command for command in demo.descendants().values())


@pytest.mark.parametrize(
    ("program", "number"),
    [
        ("/etcd ", signal.SIGINT),
        ("/kube-apiserver ", signal.SIGINT),
        ("/prometheus ", signal.SIGINT),
        (" run --config ", signal.SIGINT),
        ("demo.load ", signal.SIGINT),
        ("demo.load ", signal.SIGTERM),
    ],
)
def test_a_signal_while_something_starts_leaves_nothing(tmp_path: Path, program: str, number: signal.Signals) -> None:
    with DemoProcess(tmp_path, seconds_per_step=5) as demo:
        wait_until(lambda: _runs(demo, program), timeout=60, otherwise=lambda: f"no {program} in: {demo.output}")
        demo.signal(number)
        assert demo.exit_status(timeout=30) == 130
        assert demo.descendants() == {}
        assert list(demo.scratch.iterdir()) == []
        assert "Traceback" not in demo.output


def test_an_impatient_second_and_third_ctrl_c_leave_nothing_either(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, seconds_per_step=5) as demo:
        demo.until_it_says("Act 2")
        for _ in range(3):
            demo.signal(signal.SIGINT)
        assert demo.exit_status(timeout=30) == 130
        assert demo.descendants() == {}
        assert list(demo.scratch.iterdir()) == []


def test_even_a_kill_leaves_no_process(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, seconds_per_step=5) as demo:
        wait_until(lambda: _runs(demo, "demo.load "), timeout=60, otherwise=lambda: demo.output)
        demo.signal(signal.SIGKILL)
        demo.exit_status(timeout=10)
        wait_until(lambda: not demo.descendants(), timeout=10, otherwise=lambda: str(demo.descendants()))
