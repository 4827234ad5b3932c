"""The live picture on a terminal: weights, companies, checks and events. Draws the scene and knows nothing else."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from headgate.api.rollout_status import VerdictKind
from headgate.local.demo import checks
from headgate.local.demo.companies import COMPANIES
from headgate.local.demo.scene import Scene

_ARM_COLOURS = {"stable": "green", "candidate": "yellow"}
_VERDICT_COLOURS = {
    VerdictKind.PASS: "green",
    VerdictKind.WARN: "yellow",
    VerdictKind.FAIL: "red",
    VerdictKind.BREACHING: "red",
    VerdictKind.UNDECIDED: "cyan",
    VerdictKind.NO_DATA: "cyan",
    VerdictKind.ERROR: "magenta",
}
# What is left of the terminal's height goes to the newest events.
_HEIGHT_OF_THE_REST = 21
_FEWEST_HAPPENINGS = 2


def picture(scene: Scene, deadline: float, height: int) -> RenderableType:
    """What is shown now on a terminal of so many lines; `deadline` is in seconds since the demo began."""
    clock = Text(f"{scene.elapsed:5.1f} s of at most {deadline:.0f} s · waiting for {scene.waiting_for}", style="dim")
    parts = (Text(scene.act, style="bold"), clock, "", _weights(scene), "", _companies(scene), "", _checks(scene))
    return Group(
        Panel(Group(*parts), title="headgate demo"),
        _happenings(scene, max(_FEWEST_HAPPENINGS, height - _HEIGHT_OF_THE_REST)),
    )


def _weights(scene: Scene) -> RenderableType:
    status = scene.status
    attempt = status.attempt
    in_flight = attempt is not None and attempt.outcome is None
    table = Table.grid(padding=(0, 2))
    table.add_row("spec.prompt.version", Text(scene.version, style="bold"))
    table.add_row("phase", Text(str(status.phase.value if status.phase else "")))
    table.add_row("stable", Text(status.stable.version if status.stable else "", style="green"))
    table.add_row("candidate", Text(attempt.candidate.version if attempt and in_flight else "none", style="yellow"))
    bar = ProgressBar(
        total=100,
        completed=status.weight,
        width=50,
        style="green",
        complete_style="yellow",
        finished_style="yellow",
    )
    with_figure = Table.grid(padding=(0, 1))
    with_figure.add_row(bar, f"{status.weight} %")
    table.add_row("candidate's weight", with_figure)
    return table


def _companies(scene: Scene) -> RenderableType:
    squares = Text()
    for company in COMPANIES:
        served = scene.tally.companies.get(company)
        squares.append("■ ", style=_ARM_COLOURS.get(served.arm, "dim") if served else "dim")
    served_by: dict[tuple[str, str], int] = {}
    for tally in scene.tally.companies.values():
        served_by[tally.arm, tally.version] = served_by.get((tally.arm, tally.version), 0) + 1
    line = Text("companies per arm, counted by the service: ")
    for (arm, version), count in sorted(served_by.items(), reverse=True):
        line.append(f"{count} {arm} ({version})  ", style=_ARM_COLOURS.get(arm, ""))
    return Group(squares, line)


def _checks(scene: Scene) -> RenderableType:
    table = Table("check", "candidate", "stable", "bound", "samples", "verdict", box=None, header_style="dim")
    for line in checks.lines(scene):
        verdict = Text(line.verdict.value, style=_VERDICT_COLOURS[line.verdict]) if line.verdict else Text("")
        table.add_row(line.check, line.value, line.stable, line.bound, line.samples, verdict)
    return table


def _happenings(scene: Scene, count: int) -> RenderableType:
    lines = Text(no_wrap=True, overflow="ellipsis")
    for happening in scene.happenings[-count:]:
        lines.append(f"{happening.at - scene.began:6.1f} s  ", style="dim")
        lines.append(f"{happening.reason:<15} ", style="red" if happening.warning else "bold")
        lines.append(f"{happening.message}\n")
    return lines
