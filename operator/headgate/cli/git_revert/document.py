"""The change as a document: a merge patch that names its object, as kustomize takes it too. Knows no file."""

import json
from typing import TypeAlias

from headgate.cli.failures import CommandError
from headgate.cli.git_revert.revert import Revert
from headgate.cli.safe_text import one_line
from headgate.cli.yaml_writing import as_yaml as written
from headgate.cluster.objects import Json, JsonValue
from headgate.engine.content import canonical

_Value: TypeAlias = JsonValue


def merge_patch(revert: Revert) -> Json:
    """The object with what must change in it; null removes what stands there.

    Raises CommandError where the last good version holds null itself, which such a patch cannot write.
    """
    patch: Json = {
        "apiVersion": revert.api_version,
        "kind": revert.kind,
        "metadata": {"name": revert.name, "namespace": revert.namespace},
    }
    held = dict(revert.bad.fields) if revert.bad is not None else {}
    for path, text in revert.good.fields:
        before = held.get(path)
        if revert.bad is None or text != before:
            if text is not None and _writes_null(_read(before), _read(text)):
                raise CommandError(
                    f"{path}: the last good version holds null in it, which a merge patch cannot write;"
                    f" give --file, or change it by hand: {path}: {text}"
                )
            _put(patch, path.split("."), _difference(_read(before), _read(text)))
    return patch


def as_yaml(revert: Revert) -> str:
    """The same for people, with what happened as comments."""
    comments = "".join(f"# {one_line(line)}\n" for line in revert.why)
    return comments + written(merge_patch(revert))


def as_json(revert: Revert) -> str:
    """The same for programs."""
    return json.dumps(merge_patch(revert), indent=2) + "\n"


def _read(text: str | None) -> _Value:
    value: _Value = json.loads(text) if text is not None else None
    return value


def _difference(before: _Value, after: _Value) -> _Value:
    """What merged into the one makes the other of it (RFC 7386)."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone: Json = {name: None for name in before if name not in after}
    changed = {name: after[name] for name in _changed(before, after)}
    return {**gone, **{name: _difference(before.get(name), value) for name, value in changed.items()}}


def _changed(before: Json, after: Json) -> list[str]:
    """The fields that are new or hold something else: 1, 1.0 and true are three things."""
    return [name for name in after if name not in before or canonical(before[name]) != canonical(after[name])]


def _writes_null(before: _Value, after: _Value) -> bool:
    """Whether what changes holds null as a field's value; lists are replaced whole, with what is in them."""
    if not isinstance(after, dict):
        return after is None
    known = before if isinstance(before, dict) else {}
    return any(_writes_null(known.get(name), after[name]) for name in _changed(known, after))


def _put(into: Json, path: list[str], value: _Value) -> None:
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        into = inner
    into[path[-1]] = value
