"""The change in a file of the repository, as a unified diff that git apply and patch -p1 take. Writes nothing."""

import copy
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.git_revert.comparing import may_say
from headgate.cli.git_revert.editing import edited
from headgate.cli.git_revert.places import (
    ALIAS,
    ByHandError,
    Mapping,
    Node,
    Plain,
    Scalar,
    Sequence,
    documents,
    plain,
)
from headgate.cli.git_revert.revert import Revert
from headgate.cli.lint.composing import UnreadableError, roots
from headgate.cli.lint.document import plain as resolved
from headgate.engine.content import Content, canonical, content_of

_MOST_BYTES = 4 * 2**20
_MOST_OF_VALUE = 200
_MERGE = "<<"
_NAMESPACE = "metadata.namespace"


@dataclass(frozen=True, slots=True)
class FileChange:
    """What is to be changed in a file, and what a person should know beside it."""

    diff: str
    """Empty when nothing is to be changed."""
    notes: tuple[str, ...] = ()


def change_in(path: Path, revert: Revert) -> FileChange:
    """The diff of the file. Raises CommandError when it cannot be made."""
    name = _named(path)
    text = _read(path)
    try:
        index, node = _found(name, text, revert)
        for field in (_NAMESPACE, *revert.good.paths):
            _refuse_elsewhere(node, tuple(field.split(".")))
        held = _value(node)
        notes = tuple(_weights(name, node, revert))
        now = content_of(held, revert.good.paths)
        if now == revert.good:
            return FileChange("", (f"{name}:{node.line}: says the last good version already", *notes))
        if (other := _unknown(now, revert)) is not None:
            said = f"{name}:{node.line}: {other}, which was not rejected; nothing to revert"
            return FileChange("", (said, *notes))
        after = edited(text, node, _with(held, revert.good))
        _check(text, after, index, revert.good, node.line)
    except ByHandError as error:
        todo = "; ".join(
            f"{field}: {value if value is not None else 'remove it'}" for field, value in revert.good.fields
        )
        raise CommandError(f"{name}:{error.line}: {error}; change it by hand: {todo}") from None
    return FileChange(_diff(name, text, after), notes)


def _named(path: Path) -> str:
    """The file as a patch names it: from the current directory, which git apply and patch go by."""
    name = Path(path).absolute()
    here = Path.cwd()
    try:
        relative = name.relative_to(here).as_posix()
    except ValueError:
        relative = ".."
    if ".." in relative.split("/") or any(character in relative for character in '"\\\n\r\t'):
        raise CommandError(
            f"--file {path}: a patch names files from the current directory; run this in the repository's checkout",
            ExitStatus.USAGE,
        )
    try:
        real = name.resolve()
    except (OSError, RuntimeError) as error:
        raise CommandError(f"--file {path}: {error}", ExitStatus.USAGE) from None
    if real != here.resolve() / relative:
        raise CommandError(
            f"--file {path}: leads through a symbolic link, which git apply changes nothing through;"
            f" name the file itself: {real}",
            ExitStatus.USAGE,
        )
    return relative


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CommandError(f"--file {path}: larger than {_MOST_BYTES} bytes; no manifest is", ExitStatus.USAGE)
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--file {path}: {error}", ExitStatus.USAGE) from None


def _found(name: str, text: str, revert: Revert) -> tuple[int, Mapping]:
    """The object's place in the file, and which of its objects it is. Raises CommandError and ByHandError."""
    found = [(index, node) for index, node in enumerate(_objects(text)) if _is(node, revert)]
    here = [each for each in found if _text(each[1], "metadata", "namespace") == revert.namespace]
    chosen = here or [each for each in found if _text(each[1], "metadata", "namespace") is None]
    if len(chosen) == 1:
        return chosen[0]
    what = f"{revert.kind} {revert.namespace}/{revert.name}"
    if not chosen:
        raise CommandError(f"{name}: holds no {what}; name the file that does")
    lines = ", ".join(str(node.line) for _, node in chosen)
    raise CommandError(f"{name}: holds {what} more than once (lines {lines}); change it by hand")


def _objects(text: str) -> Iterator[Mapping]:
    """The objects of a file, those of a List one by one."""
    for root in documents(text):
        if not isinstance(root, Mapping):
            continue
        items = root.fields.get("items")
        if _text(root, "kind") == "List" and items is not None and isinstance(items.value, Sequence):
            yield from (item for item in items.value.items if isinstance(item, Mapping))
        else:
            yield root


def _is(node: Mapping, revert: Revert) -> bool:
    group = (_text(node, "apiVersion") or "").split("/")[0]
    return (group, _text(node, "kind"), _text(node, "metadata", "name")) == (revert.group, revert.kind, revert.name)


def _text(node: Node, *path: str) -> str | None:
    found = _at(node, path)
    value = plain(found) if found is not None else None
    return value if isinstance(value, str) else None


def _at(node: Node, path: tuple[str, ...]) -> Node | None:
    for part in path:
        entry = node.fields.get(part) if isinstance(node, Mapping) else None
        if entry is None:
            return None
        node = entry.value
    return node


def _refuse_elsewhere(node: Node, path: tuple[str, ...]) -> None:
    """What an alias or a merge key stands for is written elsewhere, for others too."""
    for depth in range(len(path)):
        if (above := _at(node, path[:depth])) is not None:
            _refuse_alias(above)
    if (found := _at(node, path)) is not None:
        for each in _inside(found):
            _refuse_alias(each)


def _refuse_alias(node: Node) -> None:
    if isinstance(node, Scalar) and node.quote == ALIAS:
        raise ByHandError(node.line, "an alias stands there")
    if isinstance(node, Mapping) and (merge := node.fields.get(_MERGE)) is not None:
        raise ByHandError(merge.key.line, "a merge key (<<) stands there, which brings what is written elsewhere")


def _inside(node: Node) -> Iterator[Node]:
    """A value and everything in it."""
    yield node
    match node:
        case Mapping():
            for entry in node.fields.values():
                yield from _inside(entry.value)
        case Sequence():
            for item in node.items:
                yield from _inside(item)
        case Scalar():
            pass


def _value(node: Mapping) -> dict[str, Plain]:
    value = plain(node)
    if not isinstance(value, dict):
        raise TypeError("a mapping is no mapping")
    return value


def _weights(name: str, node: Mapping, revert: Revert) -> Iterator[str]:
    for field in revert.weights:
        found = _at(node, tuple(field.split(".")))
        if found is not None:
            yield f"{name}:{found.line}: {field} is headgate's to write; leave it out of Git"


def _unknown(now: Content, revert: Revert) -> str | None:
    """What the file says, where that is nothing that was taken back."""
    if revert.known is None or any(may_say(now, rejected) for rejected in revert.known):
        return None
    good = dict(revert.good.fields)
    said = ((field, text) for field, text in now.fields if text is not None and text != good[field])
    return next((f"{field} is {text[:_MOST_OF_VALUE]}" for field, text in said), None)


def _with(held: dict[str, Plain], good: Content) -> dict[str, Plain]:
    wanted = copy.deepcopy(held)
    for path, text in good.fields:
        *above, last = path.split(".")
        inner: Plain = wanted
        for part in above:
            if not isinstance(inner, dict):
                raise ByHandError(1, f"{path} leads through something that has no fields")
            if part not in inner:
                if text is None:
                    break
                inner[part] = {}
            inner = inner[part]
        else:
            if not isinstance(inner, dict):
                raise ByHandError(1, f"{path} leads through something that has no fields")
            if text is None:
                inner.pop(last, None)
            else:
                inner[last] = json.loads(text)
    return wanted


def _check(before: str, after: str, index: int, good: Content, line: int) -> None:
    """The object must hold what was meant, and everything else what it held before, wherever aliases lead."""
    expected = _resolved(before, line)
    changed = dict(enumerate(_plain_objects(expected))).get(index)
    if changed is not None:
        wanted = _with(changed, good)
        changed.clear()
        changed.update(wanted)
    if changed is None or canonical(_resolved(after, line)) != canonical(expected):
        raise ByHandError(line, "it is written in a way that cannot be changed in place")


def _resolved(text: str, line: int) -> list[Plain]:
    """The documents of a file with everything that aliases and merge keys bring."""
    try:
        return [resolved(root) for root in roots(text)]
    except (UnreadableError, yaml.YAMLError) as error:
        what = f"{error.what}, in line {error.line}" if isinstance(error, UnreadableError) else "it is not plain YAML"
        raise ByHandError(line, f"it cannot be changed in place: {what}") from None


def _plain_objects(documents: list[Plain]) -> Iterator[dict[str, Plain]]:
    """The objects of a file in the order of those that know their places."""
    for root in documents:
        if not isinstance(root, dict):
            continue
        items = root.get("items")
        if root.get("kind") == "List" and isinstance(items, list):
            yield from (item for item in items if isinstance(item, dict))
        else:
            yield root


def _diff(name: str, before: str, after: str) -> str:
    # A name with a blank needs the tab behind it, or git takes the rest for a date.
    end = "\t" if " " in name else ""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}{end}", f"b/{name}{end}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as for git."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [last for last in text.split("\n")[-1:] if last]
