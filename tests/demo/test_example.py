"""The demo applies example 01 itself: scaled, and otherwise as it stands."""

from pathlib import Path
from typing import Any, cast

import yaml

from headgate.local.demo import example

_FILE = Path(__file__).parents[2] / "examples" / "01-prompt-rollout.yaml"


def _paths(part: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    if isinstance(part, dict):
        return {key: value for name, inner in part.items() for key, value in _paths(inner, (*path, name)).items()}
    if isinstance(part, list):
        found = (_paths(inner, (*path, str(index))) for index, inner in enumerate(part))
        return {key: value for paths in found for key, value in paths.items()}
    return {path: part}


def test_nothing_but_durations_differs_from_the_file() -> None:
    original = [_paths(document) for document in yaml.safe_load_all(_FILE.read_text())]
    scaled = [_paths(document) for document in example.load(6).first]
    assert [list(paths) for paths in scaled] == [list(paths) for paths in original]
    different = {
        path[-1]: (before[path], after[path])
        for before, after in zip(original, scaled, strict=True)
        for path in before
        if before[path] != after[path]
    }
    assert different == {
        "holdFor": ("1m", "6s"),
        "bakeFor": ("5m", "30s"),
        "period": ("15s", "1500ms"),
        "for": ("1m", "6s"),
    }


def test_a_minute_a_step_is_the_example_itself() -> None:
    assert [_durations(document) for document in example.load(60).first][-1] == {"holdFor": "60s", "bakeFor": "300s"}


def _durations(document: example.Document) -> dict[str, object]:
    return {path[-1]: value for path, value in _paths(document).items() if path[-1] in {"holdFor", "bakeFor", "period"}}


def test_a_period_is_never_shorter_than_the_api_allows() -> None:
    gate = cast(dict[str, Any], example.load(1).gate)
    assert gate["spec"]["period"] == "1s"


def test_a_release_changes_one_line() -> None:
    loaded = example.load(5)
    before, after = _paths(loaded.rollout), _paths(loaded.release("support-reply-v8"))
    assert {path for path in before if before[path] != after[path]} == {("spec", "prompt", "version")}
    assert before.keys() == after.keys()


def test_the_later_versions_are_of_the_same_family() -> None:
    later = example.load(5).later
    assert set(later) == {"support-reply-v9", "support-reply-v10"}
    assert {cast(dict[str, Any], document["spec"])["family"] for document in later.values()} == {"support-reply"}
