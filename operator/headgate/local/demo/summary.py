"""What the demo showed, in figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from headgate.local.demo import audit
from headgate.local.demo.audit import RequestCount
from headgate.local.demo.companies import COMPANIES
from headgate.local.demo.scene import Scene
from headgate.local.demo.stage import OPERATOR_USER
from headgate.local.demo.story import BAD, FIRST, GOOD, Release, Told
from headgate.local.demo.tally import VersionTally

# DESIGN's budget for one rollout of four steps, Events included.
_BUDGET = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """The revert, in seconds; None for what was not seen."""

    exposed_after: float | None
    """From the apply to the first company that got the bad version by the committed weight."""
    first_error_to_weight_zero: float | None
    """From the first bad answer to the commit of weight 0."""
    first_error_to_last_served: float | None
    """From the first bad answer to the last one that the bad version gave anybody."""
    first_error_to_spec_restored: float | None


def figures(scene: Scene, bad: Release) -> Figures:
    """How long the parts of the revert took."""
    served = scene.tally.versions.get(bad.version, VersionTally())
    exposed = scene.first(bad.attempt, lambda moment: moment.weight > 0)
    back = scene.first(
        bad.attempt, lambda moment: exposed is not None and moment.at > exposed.at and moment.weight == 0
    )
    restored = scene.first(
        bad.attempt, lambda moment: back is not None and moment.at >= back.at and moment.version != bad.version
    )
    return Figures(
        exposed_after=_between(bad.applied_at, exposed.at if exposed else None),
        first_error_to_weight_zero=_between(served.first_error_at, back.at if back else None),
        first_error_to_last_served=_between(served.first_error_at, served.last_served_at),
        first_error_to_spec_restored=_between(served.first_error_at, restored.at if restored else None),
    )


def summary(scene: Scene, told: Told, audit_log: Path) -> RenderableType:
    """The figures as a table."""
    table = Table(title="What was shown", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for name, value in _rows(scene, told, audit_log):
        table.add_row(name, value)
    return Group(table, Text(f"Both really happened, in {scene.elapsed:.0f} s.", style="bold green"))


def _rows(scene: Scene, told: Told, audit_log: Path) -> Iterator[tuple[str, str]]:
    good, bad = told.good, told.bad
    yield f"{FIRST} stable", f"{told.first_stable_after:.1f} s after the first apply"
    yield f"{GOOD} promoted", f"{good.ended_at - good.applied_at:.1f} s after its apply"
    for weight, entered, lasted in _steps(scene, good):
        companies = scene.companies_at.get((good.attempt, weight), 0)
        yield f"  {weight} %", f"at {entered:.1f} s, for {lasted:.1f} s, {companies} of {len(COMPANIES)} companies"
    yield "  API requests of the operator", _requests(_count(audit_log, good))
    seen = figures(scene, bad)
    yield f"{BAD} reverted", f"{bad.ended_at - bad.applied_at:.1f} s after its apply"
    companies = max((count for (attempt, _), count in scene.companies_at.items() if attempt == bad.attempt), default=0)
    served = scene.tally.versions.get(BAD, VersionTally())
    yield (
        "  exposed",
        f"{companies} of {len(COMPANIES)} companies; {served.errors} of {served.evaluations} answers were bad",
    )
    yield "  first bad answer → weight 0", _seconds(seen.first_error_to_weight_zero)
    yield "  first bad answer → spec restored", _seconds(seen.first_error_to_spec_restored)
    yield f"  first bad answer → last of {BAD}", _seconds(seen.first_error_to_last_served)
    if scene.breach_to_revert is not None:
        yield "  breach seen → every router at 0", f"{scene.breach_to_revert:.3f} s, by the operator's own metrics"
    yield "  API requests of the operator", _requests(_count(audit_log, bad))
    after = ", ".join(f"{count} by {version}" for version, count in told.evaluations_afterwards.items())
    yield "  afterwards", f"{scene.tally.on(GOOD)} of {len(COMPANIES)} companies on {GOOD}; evaluations: {after}"
    yield "next server-side apply, no force", "no conflict"


def _steps(scene: Scene, release: Release) -> Iterator[tuple[int, float, float]]:
    entered: dict[int, float] = {}
    for moment in scene.moments:
        if moment.attempt == release.attempt and moment.weight:
            entered.setdefault(moment.weight, moment.at)
    ends = [*list(entered.values())[1:], release.ended_at]
    for (weight, at), end in zip(entered.items(), ends, strict=True):
        yield weight, at - release.applied_at, end - at


def _count(audit_log: Path, release: Release) -> RequestCount:
    return audit.count(audit_log, OPERATOR_USER, release.begun_at, release.settled_at)


def _requests(count: RequestCount) -> str:
    parts = ", ".join(f"{number} {what}" for what, number in count.budgeted.items())
    return f"{count.total} (budget {_BUDGET}): {parts}; apart: {count.apart}"


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


def _seconds(span: float | None) -> str:
    return "not seen" if span is None else f"{span:.1f} s"
