"""Many Rollouts, a line each. Pure."""

from collections.abc import Sequence
from datetime import datetime

from headgate.api.rollout_status import Phase
from headgate.cli.course import course_of, is_in_flight
from headgate.cli.spans import since
from headgate.cli.tables import Cell, Grid, Tone
from headgate.cli.waiting import waiting_for
from headgate.engine.observation import RolloutView

_HEADERS = ("NAME", "PHASE", "WEIGHT", "STEP", "STABLE", "CANDIDATE", "WAITING FOR", "AGE")
_WAITING_WIDTH = 90

TONES = {
    Phase.IDLE: Tone.QUIET,
    Phase.VERIFYING: Tone.PLAIN,
    Phase.SHADOWING: Tone.PLAIN,
    Phase.PROGRESSING: Tone.GOOD,
    Phase.HOLDING: Tone.NOTABLE,
    Phase.AWAITING_APPROVAL: Tone.NOTABLE,
    Phase.PAUSED: Tone.NOTABLE,
    Phase.BAKING: Tone.GOOD,
    Phase.ROLLING_BACK: Tone.BAD,
    Phase.ROLLED_BACK: Tone.BAD,
    Phase.KILLED: Tone.BAD,
    Phase.INVALID: Tone.BAD,
}
"""How each phase is meant."""


def overview(views: Sequence[RolloutView], now: datetime, *, namespaces: bool) -> Grid:
    """The table of these Rollouts, in the order of their keys."""
    rows = [_row(view, now, namespaces=namespaces) for view in sorted(views, key=lambda view: view.key)]
    return Grid((*(("NAMESPACE",) if namespaces else ()), *_HEADERS), rows)


def phase_cell(view: RolloutView) -> Cell:
    """The phase, in its colour."""
    phase = view.status.phase
    if view.spec is None:
        return Cell(Phase.INVALID.value, Tone.BAD)
    return Cell("Unseen", Tone.QUIET) if phase is None else Cell(phase.value, TONES[phase])


def step_of(view: RolloutView) -> str:
    """The step as ``25 (2/4)``; empty without an attempt in one."""
    attempt = view.status.attempt
    if attempt is None or attempt.step is None or not is_in_flight(attempt):
        return ""
    count = len(course_of(view).steps)
    place = f"{attempt.step.index + 1}/{count}" if count > attempt.step.index else str(attempt.step.index + 1)
    return f"{attempt.step.name} ({place})"


def candidate_of(view: RolloutView) -> str:
    """The version being tried; empty with no attempt in flight."""
    attempt = view.status.attempt
    return attempt.candidate.version if attempt is not None and is_in_flight(attempt) else ""


def _row(view: RolloutView, now: datetime, *, namespaces: bool) -> list[Cell]:
    waits = waiting_for(view, now) or "-"
    cells = [
        Cell(view.name),
        phase_cell(view),
        Cell(f"{view.status.weight}%"),
        Cell(step_of(view) or "-"),
        Cell(view.status.stable.version if view.status.stable is not None else "-"),
        Cell(candidate_of(view) or "-"),
        Cell(waits if len(waits) <= _WAITING_WIDTH else f"{waits[: _WAITING_WIDTH - 3]}..."),
        Cell(since(view.created_at, now)),
    ]
    return [Cell(view.namespace), *cells] if namespaces else cells
