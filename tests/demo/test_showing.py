"""What people see: the picture on a terminal, the lines in a log, and the figures at the end."""

import time
from io import StringIO
from pathlib import Path

from rich.console import Console, RenderableType

from headgate.api.rollout_status import Outcome
from headgate.local.demo.plain import PlainLog
from headgate.local.demo.scene import Happening, Measured, Scene
from headgate.local.demo.story import Release, Told
from headgate.local.demo.summary import figures, summary
from headgate.local.demo.tally import Tally, VersionTally
from headgate.local.demo.view import picture
from tests.demo.scenes import scene, status, tally, verdict


def drawn(what: RenderableType) -> str:
    out = StringIO()
    Console(file=out, width=140, height=60).print(what)
    return out.getvalue()


def at_ten_percent() -> Scene:
    seen = scene()
    seen.saw_rollout("v8", status(weight=10, verdicts=[verdict("error-rate", "Pass", "0.002")]))
    seen.saw_tally(tally(a=("v7", "stable"), b=("v8", "candidate"), c=("v7", "stable")))
    return seen


def test_the_picture_shows_weights_companies_checks_and_events() -> None:
    seen = at_ten_percent()
    seen.saw_happening(Happening(time.time(), "StepEntered", "step 1/4"))
    shown = drawn(picture(seen, deadline=115, height=40))
    for expected in ("10 %", "2 stable (v7)", "1 candidate (v8)", "0.002", "above 5%", "Pass", "StepEntered", "115 s"):
        assert expected in shown


def test_a_value_that_moves_is_shown_before_it_is_recorded() -> None:
    seen = at_ten_percent()
    seen.saw_measured({}, None)
    seen.saw_measured({"error-rate": Measured(0.1875)}, None)
    assert "0.1875" in drawn(picture(seen, deadline=115, height=40))


def test_a_low_terminal_shows_the_newest_events() -> None:
    seen = at_ten_percent()
    for number in range(30):
        seen.saw_happening(Happening(time.time(), f"Event{number}", "x" * 300))
    shown = drawn(picture(seen, deadline=115, height=24))
    assert "Event29" in shown
    assert "Event20" not in shown
    assert len(shown.splitlines()) <= 24


def test_the_picture_can_be_drawn_before_anything_is_seen() -> None:
    assert "none" in drawn(picture(scene(), deadline=115, height=40))


def test_the_log_tells_each_thing_once() -> None:
    seen = at_ten_percent()
    log = PlainLog(seen)
    told = "\n".join(log.news())
    assert "Progressing, stable v7, candidate v8 at 10 %, spec v8" in told
    assert "companies: 2 stable (v7), 1 candidate (v8)" in told
    assert "check error-rate: Pass, candidate 0.002, critical above 5%" in told
    assert list(log.news()) == []
    seen.saw_rollout("v7", status(phase="RolledBack", outcome=Outcome.ROLLED_BACK))
    assert [line.partition("] ")[2] for line in log.news()] == ["rollout: RolledBack, stable v7, spec v7"]


def reverted() -> tuple[Scene, Release]:
    seen = scene()
    applied_at = time.time()
    seen.saw_rollout("v9", status(weight=10, candidate="v9"))
    seen.saw_rollout("v9", status(phase="RollingBack", weight=0, candidate="v9"))
    seen.saw_rollout("v8", status(phase="RollingBack", weight=0, candidate="v9"))
    at = [moment.at for moment in seen.moments]
    seen.tally = Tally(
        versions={"v9": VersionTally(evaluations=50, errors=10, first_error_at=at[0], last_served_at=at[0] + 2.0)}
    )
    return seen, Release("v9", 1, applied_at, applied_at, at[2], at[2])


def test_the_revert_is_timed_from_the_first_bad_answer() -> None:
    seen, release = reverted()
    at = [moment.at for moment in seen.moments]
    timed = figures(seen, release)
    assert timed.first_error_to_weight_zero == at[1] - at[0]
    assert timed.first_error_to_spec_restored == at[2] - at[0]
    assert timed.first_error_to_last_served == 2.0


def test_what_was_not_seen_is_not_made_up() -> None:
    timed = figures(scene(), Release("v9", 1, 0.0, 0.0, 1.0, 1.0))
    assert timed.first_error_to_weight_zero is None
    assert timed.first_error_to_spec_restored is None
    assert timed.first_error_to_last_served is None


def test_the_summary_names_every_figure(tmp_path: Path) -> None:
    seen, release = reverted()
    log = tmp_path / "audit.log"
    log.touch()
    shown = drawn(summary(seen, Told(1.25, release, release, {"v8": 41}), log))
    for expected in ("1.2 s after the first apply", "0 of 40 companies", "evaluations: 41 by v8", "budget 20"):
        assert expected in shown
