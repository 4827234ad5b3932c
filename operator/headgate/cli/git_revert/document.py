"""The change as a document: a merge patch that names its object, as kustomize takes it too. Knows no file."""

import json
from typing import TypeAlias

import yaml

from headgate.cli.git_revert.revert import Revert
from headgate.cli.safe_text import one_line
from headgate.cluster.objects import Json, JsonValue

_Value: TypeAlias = JsonValue


def merge_patch(revert: Revert) -> Json:
    """The object with what must change in it; null removes what stands there."""
    patch: Json = {
        "apiVersion": revert.api_version,
        "kind": revert.kind,
        "metadata": {"name": revert.name, "namespace": revert.namespace},
    }
    held = dict(revert.bad.fields) if revert.bad is not None else {}
    for path, text in revert.good.fields:
        before = held.get(path)
        if revert.bad is None or text != before:
            _put(patch, path.split("."), _difference(_read(before), _read(text)))
    return patch


def as_yaml(revert: Revert) -> str:
    """The same for people, with what happened as comments."""
    comments = "".join(f"# {one_line(line)}\n" for line in revert.why)
    body: str = yaml.safe_dump(merge_patch(revert), sort_keys=False, allow_unicode=True, width=10_000)
    return comments + body


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
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return {**gone, **{name: _difference(before.get(name), value) for name, value in changed.items()}}


def _put(into: Json, path: list[str], value: _Value) -> None:
    for name in path[:-1]:
        inner = into.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        into = inner
    into[path[-1]] = value
