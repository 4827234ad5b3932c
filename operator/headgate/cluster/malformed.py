"""What is wrong with an object that a model refused, in one line for its owner."""

from pydantic import ValidationError

_LONGEST = 300


def first_problem(error: ValidationError, at: str = "spec") -> str:
    """The first problem as ``spec.steps[2].weight: ...``, with how many more there are."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    where = at
    for part in first["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}"
    what = first["msg"].removeprefix("Value error, ")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{' '.join(f'{where}: {what}'.split())[:_LONGEST]}{more}"
