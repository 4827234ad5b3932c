"""One Rollout in full: where it stands, its steps, verdicts, rejections, history and conditions. Pure."""

from collections.abc import Sequence
from datetime import datetime

from headgate.api.conditions import ConditionStatus
from headgate.api.rollout import Approval, Step
from headgate.api.rollout_status import AttemptState, HookState, Outcome, VerdictKind
from headgate.cli.course import course_of, is_in_flight
from headgate.cli.spans import since
from headgate.cli.status.overview import phase_cell
from headgate.cli.tables import Cell, Facts, Grid, Part, Tone
from headgate.cli.waiting import waiting
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan

_DIGEST_SHOWN = len("sha256:") + 12
_VERDICTS = {
    VerdictKind.PASS: Tone.GOOD,
    VerdictKind.WARN: Tone.NOTABLE,
    VerdictKind.FAIL: Tone.BAD,
    VerdictKind.BREACHING: Tone.BAD,
    VerdictKind.UNDECIDED: Tone.PLAIN,
    VerdictKind.NO_DATA: Tone.NOTABLE,
    VerdictKind.ERROR: Tone.NOTABLE,
}
_OUTCOMES = {
    Outcome.PROMOTED: Tone.GOOD,
    Outcome.ROLLED_BACK: Tone.BAD,
    Outcome.ABORTED: Tone.NOTABLE,
    Outcome.SUPERSEDED: Tone.NOTABLE,
}
_HOOKS = {HookState.PENDING: Tone.PLAIN, HookState.SUCCEEDED: Tone.GOOD, HookState.FAILED: Tone.BAD}


def detail(view: RolloutView, now: datetime, plan: Plan | None = None) -> Sequence[Part]:
    """Everything that `headgate status ROLLOUT` shows, in its order."""
    return (
        _head(view, now, plan),
        _steps(view, now, plan),
        _verdicts(view, now),
        _rejected(view, now),
        _history(view, now),
        _after(view, now),
        _conditions(view, now),
    )


def _head(view: RolloutView, now: datetime, plan: Plan | None) -> Facts:
    status, attempt = view.status, view.status.attempt
    state = waiting(view, now, plan)
    tried = ""
    if attempt is not None:
        end = attempt.outcome.value if attempt.state is AttemptState.ENDED and attempt.outcome else ""
        age = (
            f"ended {end} {since(attempt.ended_at, now)} ago" if end else f"began {since(attempt.started_at, now)} ago"
        )
        tried = f"{attempt.candidate.version}  {_short(attempt.candidate.digest)}  attempt {attempt.number}, {age}"
    stable = f"{status.stable.version}  {_short(status.stable.digest)}" if status.stable is not None else "none yet"
    return Facts(
        (
            ("Rollout", Cell(str(view.key))),
            ("Phase", phase_cell(view)),
            ("Weight", Cell(f"{status.weight} %")),
            ("Stable", Cell(stable)),
            ("Candidate" if is_in_flight(attempt) else "Last attempt", Cell(tried)),
            ("Because", Cell(attempt.reason if attempt is not None and attempt.outcome is not None else "")),
            ("Waiting for", Cell(state.what or f"nothing; {_what_starts(view)} starts a release", Tone.NOTABLE)),
            ("To do", Cell(state.remedy, Tone.NOTABLE)),
        )
    )


def _what_starts(view: RolloutView) -> str:
    target = view.spec.target if view.spec is not None else None
    return f"an edit of {target.kind} {target.name}" if target is not None else "another spec.prompt.version"


def _steps(view: RolloutView, now: datetime, plan: Plan | None) -> Grid:
    attempt, course = view.status.attempt, course_of(view, plan)
    under_way = attempt if is_in_flight(attempt) else None
    baking = under_way is not None and under_way.state is AttemptState.BAKING
    rows: list[Sequence[Cell]] = []
    for index, step in enumerate(course.steps):
        here = -1 if under_way is None else course.index_of(under_way)
        entered = under_way.step.started_at if under_way is not None and under_way.step is not None else None
        marker, tone = " ", Tone.PLAIN
        if under_way is not None and (index < here or baking):
            marker, tone = "x", Tone.QUIET
        elif under_way is not None and index == here:
            marker, tone = ">", Tone.GOOD
        age = since(entered, now) if marker == ">" else ""
        rows.append([Cell(text, tone) for text in (marker, step.label, *_terms(step), age)])
    if course.bake_for is not None:
        began = under_way.baking_since if under_way is not None else None
        texts = (">" if baking else " ", "bake", "100 %", course.bake_for, "", "", since(began, now))
        rows.append([Cell(text, Tone.GOOD if baking else Tone.PLAIN) for text in texts])
    return Grid(("", "STEP", "SHARE", "HOLD", "APPROVAL", "OWN GATES", "SINCE"), rows, title="Steps")


def _terms(step: Step) -> tuple[str, str, str, str]:
    share = f"shadow {step.shadow_share} %" if step.shadow is not None else f"{step.exposure} %"
    approval = step.approval.value if step.approval is Approval.REQUIRED else ""
    return share, step.hold_for or "", approval, ", ".join(gate.name for gate in step.gates)


def _verdicts(view: RolloutView, now: datetime) -> Grid:
    rows = [
        [
            Cell(f"{record.gate}/{record.check}"),
            Cell(record.verdict.value, _VERDICTS[record.verdict]),
            Cell(record.value or "-"),
            Cell(record.stable or "-"),
            Cell(record.bound or "-"),
            Cell("-" if record.samples is None else str(record.samples)),
            Cell(since(record.since, now)),
            Cell(record.message),
        ]
        for record in view.status.verdicts
    ]
    return Grid(("CHECK", "VERDICT", "VALUE", "STABLE", "BOUND", "SAMPLES", "SINCE", "MESSAGE"), rows, title="Verdicts")


def _rejected(view: RolloutView, now: datetime) -> Grid:
    rows = [
        [
            Cell(rejection.version),
            Cell(_short(rejection.digest), Tone.QUIET),
            Cell(str(rejection.attempt)),
            Cell(since(rejection.at, now)),
            Cell(rejection.reason),
        ]
        for rejection in view.status.rejected
    ]
    return Grid(("VERSION", "DIGEST", "ATTEMPT", "SINCE", "REASON"), rows, title="Rejected")


def _history(view: RolloutView, now: datetime) -> Grid:
    rows = [
        [
            Cell(str(entry.number)),
            Cell(entry.version),
            Cell(entry.outcome.value, _OUTCOMES[entry.outcome]),
            Cell(since(entry.ended_at, now)),
            Cell(since(entry.started_at, entry.ended_at)),
            Cell(entry.reason),
        ]
        for entry in view.status.history
    ]
    return Grid(("ATTEMPT", "VERSION", "OUTCOME", "ENDED", "TOOK", "REASON"), rows, title="History")


def _after(view: RolloutView, now: datetime) -> Grid:
    """What is run after the last revert that has hooks."""
    last = max((record.attempt for record in view.status.after), default=0)
    rows = [
        [
            Cell(record.name),
            Cell(f"webhook {record.webhook}" if record.webhook is not None else f"Job of {record.cron_job}"),
            Cell(record.state.value, _HOOKS[record.state]),
            Cell(str(record.tries) if record.ended_at is not None else "-"),
            Cell(since(record.ended_at, now)),
            Cell(record.message),
        ]
        for record in view.status.after
        if record.attempt == last
    ]
    return Grid(
        ("HOOK", "CALLS", "STATE", "TRIES", "ENDED", "MESSAGE"), rows, title=f"After the revert of attempt {last}"
    )


def _conditions(view: RolloutView, now: datetime) -> Grid:
    rows = [
        [
            Cell(each.type),
            Cell(each.status.value, _condition_tone(each.type, each.status)),
            Cell(each.reason),
            Cell(since(each.last_transition_time, now)),
            Cell(each.message),
        ]
        for each in view.status.conditions
    ]
    return Grid(("CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"), rows, title="Conditions")


def _condition_tone(kind: str, status: ConditionStatus) -> Tone:
    wanted = ConditionStatus.FALSE if kind in {"Stalled", "Paused", "Reconciling"} else ConditionStatus.TRUE
    return Tone.PLAIN if status is wanted else Tone.NOTABLE


def _short(digest: str) -> str:
    return digest[:_DIGEST_SHOWN]
