"""Shows the figures to people as a table, and to programs as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.machine import Machine

_SOURCE = (
    "Flagger 1.44 and Argo Rollouts 1.9.2: as the design cites them, on another day with the same API server, 2 cores"
)


def show(console: Console, machine: Machine, figures: Sequence[Figure]) -> None:
    """The machine, the table, and the sum of it."""
    table = Table(title="headgate against its budgets", title_justify="left", show_lines=False)
    for name in ("what", "measured", "budget", "", "Flagger", "Argo Rollouts", "how"):
        table.add_column(name, justify="right" if name in ("measured", "budget") else "left", overflow="fold")
    for figure in figures:
        budget = figure.budget
        table.add_row(
            figure.what,
            f"{_number(figure.value)} {figure.unit}",
            f"≤ {_number(budget.most)}" if budget is not None else "",
            {True: "[green]✓ within[/]", False: "[bold red]✗ OVER[/]", None: ""}[figure.is_within],
            budget.flagger if budget is not None else "",
            budget.argo_rollouts if budget is not None else "",
            figure.how,
        )
    console.print(table)
    console.print(_SOURCE, style="dim")
    console.print(
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB, {machine.system};"
        f" Python {machine.python}, headgate {machine.headgate}; {machine.at};"
        f" load average {machine.load_average:.1f} before the first benchmark"
    )
    judged = [figure.is_within for figure in figures if figure.is_within is not None]
    console.print(f"{sum(judged)} of {len(judged)} budgets kept")


def write(file: Path, machine: Machine, figures: Sequence[Figure]) -> None:
    """The same as JSON."""
    content = {
        "machine": asdict(machine),
        "figures": [{**asdict(figure), "within": figure.is_within} for figure in figures],
    }
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
