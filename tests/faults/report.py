"""The results of a matrix as a table in Markdown, by scenario and by fault; and that table in a document."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.faults.matrix import Case, Result


def table(results: Sequence[Result]) -> str:
    """How many cases of each scenario and of each fault there were, and in how many of them a rule was broken."""
    failed, unmet = sum(result.failed for result in results), sum(not result.met for result in results)
    lines = [f"{len(results)} cases; {failed} broke a rule; in {unmet} the request to be struck never came by.", ""]
    lines += _counted("scenario", results, lambda result: result.case.scenario)
    lines += ["", *_counted("fault", results, lambda result: result.case.fault)]
    return "\n".join(lines) + "\n"


def failures(results: Iterable[Result]) -> str:
    """What broke, each in a few lines."""
    told = []
    for result in results:
        if result.failed:
            case = result.case
            told.append(f"{case.group} | {case.scenario} | {case.where} | {case.fault}")
            told += [f"    {complaint}" for complaint in result.complaints]
    return "\n".join(told)


def keep(result: Result, file: Path) -> None:
    """Appends a result as a line of JSON."""
    with file.open("a") as lines:
        lines.write(json.dumps([*_key(result.case), [*result.complaints], result.met]) + "\n")


def read(file: Path, chosen: Iterable[Case]) -> list[Result]:
    """The results that a file keeps of those cases."""
    by_key = {_key(case): case for case in chosen}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    found = [(by_key.get(tuple(key)), complaints, met) for *key, complaints, met in lines]
    return [Result(case, complaints, met=met) for case, complaints, met in found if case is not None]


def _key(case: Case) -> tuple[str, ...]:
    return case.group, case.scenario, case.where, case.fault


def put_into(document: Path, group: str, text: str) -> None:
    """Replaces what stands between the group's two markers. Raises ValueError when they are not there."""
    begin, end = f"<!-- {group}: begin -->", f"<!-- {group}: end -->"
    before, found, rest = document.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{document}: the markers {begin} and {end} are not there")
    document.write_text(f"{before}{begin}\n{text}{end}{after}")


def _counted(head: str, results: Sequence[Result], name: Callable[[Result], str]) -> list[str]:
    counts: dict[str, list[int]] = {}
    for result in sorted(results, key=lambda each: (each.case.group, name(each))):
        row = counts.setdefault(name(result), [0, 0])
        row[0] += 1
        row[1] += result.failed
    rows = [f"| {what} | {cases} | {broken} |" for what, (cases, broken) in counts.items()]
    return [f"| {head} | cases | broken |", "| --- | ---: | ---: |", *rows]
