"""The whole demo, as `make demo` runs it: both releases go as they should, and it ends by itself in time."""

from pathlib import Path

from tests.demo.demo_process import DemoProcess


def test_a_good_release_reaches_everybody_and_a_bad_one_is_taken_back(tmp_path: Path) -> None:
    with DemoProcess(tmp_path, seconds_per_step=1) as demo:
        assert demo.exit_status(timeout=120) == 0, demo.output
        told = demo.output
        assert demo.descendants() == {}
        assert list(demo.scratch.iterdir()) == []
    weights = [told.index(f"candidate support-reply-v8 at {weight} %") for weight in (10, 25, 50, 100)]
    assert weights == sorted(weights)
    assert told.index("candidate support-reply-v9 at 10 %") < told.index("RolledBack, stable support-reply-v8")
    assert "RolledBack, stable support-reply-v8, spec support-reply-v8" in told
    assert "40 of 40 companies on support-reply-v8; evaluations: " in told
    assert "no conflict" in told
    assert "Both really happened" in told
