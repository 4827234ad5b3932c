"""The examples as documents, and one mutation at a time of them."""

import copy
import re
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"


def documents(name: str) -> list[Document]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text()))


_PROMPT, _, _GATE, _ROLLOUT = documents("01-prompt-rollout.yaml")
_BY_KIND = {"PromptVersion": _PROMPT, "QualityGate": _GATE, "Rollout": _ROLLOUT}
_ABSENT = object()


def example(kind: str) -> Document:
    return copy.deepcopy(_BY_KIND[kind])


def changed(kind: str, changes: dict[str, object]) -> Document:
    """The example of a kind with fields set, by dotted path with [index]; `ABSENT` removes one."""
    document = example(kind)
    for path, value in changes.items():
        parts = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
        target: Any = document
        for part in parts[:-1]:
            target = target[part]
        if value is _ABSENT:
            del target[parts[-1]]
        else:
            target[parts[-1]] = value
    return document


ABSENT = _ABSENT
