"""Example 01 as the demo applies it: its durations scaled down, everything else as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import yaml

from headgate.api.quantities import seconds
from headgate.local.errors import LocalError

Document: TypeAlias = dict[str, object]

_NAME = "01-prompt-rollout.yaml"
_HERE = Path(__file__).parent
# In a wheel the examples lie beside this file; in a checkout they are the repository's.
_PLACES = (_HERE / "examples", _HERE.parents[3] / "examples")
_LATER_VERSIONS = _HERE / "later-versions.yaml"
_DURATIONS = frozenset({"holdFor", "bakeFor", "period", "for", "window", "progressDeadline"})
_STEP_SECONDS = 60.0
_SHORTEST = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """The documents of one release after the other."""

    first: Sequence[Document]
    """What the example's file holds."""
    rollout: Document
    """The Rollout among them."""
    gate: Document
    """The QualityGate among them."""
    later: Mapping[str, Document]
    """The PromptVersions that the demo releases afterwards, by name."""

    def release(self, version: str) -> Document:
        """The Rollout with the one line changed that is a release."""
        spec = cast(Document, self.rollout["spec"])
        prompt = cast(Document, spec["prompt"])
        return {**self.rollout, "spec": {**spec, "prompt": {**prompt, "version": version}}}


def load(seconds_per_step: int) -> Example:
    """The example, with its minute a step made `seconds_per_step` seconds and the other durations to match.

    Raises:
        LocalError: the example is not where it was installed.
    """
    file = next((place / _NAME for place in _PLACES if (place / _NAME).exists()), None)
    if file is None:
        raise LocalError(f"{_NAME} is missing from {_PLACES[0]}: install headgate again")
    scale = seconds_per_step / _STEP_SECONDS
    first = [cast(Document, _scaled(document, scale)) for document in _documents(file)]
    return Example(
        first=first,
        rollout=next(document for document in first if document["kind"] == "Rollout"),
        gate=next(document for document in first if document["kind"] == "QualityGate"),
        later={_name(document): document for document in _documents(_LATER_VERSIONS)},
    )


def _documents(file: Path) -> list[Document]:
    return [cast(Document, document) for document in yaml.safe_load_all(file.read_text()) if document]


def _name(document: Document) -> str:
    return str(cast(Document, document["metadata"])["name"])


def _scaled(part: object, scale: float, key: str = "") -> object:
    match part:
        case dict():
            return {name: _scaled(value, scale, str(name)) for name, value in part.items()}
        case list():
            return [_scaled(value, scale) for value in part]
        case str() if key in _DURATIONS:
            length = round(max(seconds(part) * scale, _SHORTEST) * 1000)
            return f"{length // 1000}s" if length % 1000 == 0 else f"{length}ms"
        case _:
            return part
