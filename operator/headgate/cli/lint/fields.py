"""A spec held against its model: each thing that pydantic refuses as a finding in words. Knows no other object."""

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from headgate.cli.lint.document import Document, Plain, plain
from headgate.cli.lint.finding import Finding, Severity, parts_of
from headgate.cli.lint.not_yet import is_not_yet
from headgate.cli.lint.resource import written
from headgate.cli.lint.value_words import refusal

ModelT = TypeVar("ModelT", bound=BaseModel)
_INNER = re.compile(r"^((?:[a-zA-Z]+(?:\[\d+\])?\.?)+): (.*)$", re.DOTALL)


def read_spec(document: Document, model: type[ModelT]) -> tuple[ModelT | None, list[Finding]]:
    """The spec of a document as its model; None, and why, when it is not one."""
    spec = document.node(("spec",))
    if spec is None:
        return None, [_finding(document, (), "spec is missing", "nothing else is acted on", "add spec")]
    value = plain(spec)
    try:
        # As JSON and strictly, which is how the API server compares types.
        return model.model_validate_json(json.dumps(value), strict=True), []
    except ValidationError as error:
        return None, _translated(document, model, value, error.errors(include_url=False))


def closest(word: str, known: list[str]) -> str | None:
    """The known word that was probably meant."""
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def _translated(document: Document, model: type[BaseModel], value: Plain, errors: list[ErrorDetails]) -> list[Finding]:
    located = [(_clean(value, error["loc"]), error) for error in errors]
    # Whoever writes a field of a later release leaves out what it stands for.
    excused = {
        path[:-1]
        for path, error in located
        if error["type"] == "extra_forbidden" and is_not_yet(_model_at(model, path[:-1]), str(path[-1]))
    }
    findings: dict[tuple[str | int, ...], Finding] = {}
    for path, error in located:
        if not (error["type"] == "missing" and path[:-1] in excused):
            found = _found(document, model, path, error)
            # A union tells of each of its members; the first says enough.
            findings.setdefault(path, found)
    return list(findings.values())


def _found(document: Document, model: type[BaseModel], path: tuple[str | int, ...], error: ErrorDetails) -> Finding:
    where = written(("spec", *path))
    match error["type"]:
        case "missing":
            info = _fields(_model_at(model, path[:-1])).get(str(path[-1]), "")
            return _finding(document, path, f"{where} is missing", _clause(info), f"add {path[-1]}")
        case "extra_forbidden":
            return _unknown_field(document, _model_at(model, path[:-1]), path)
        case "value_error":
            message = str(error["ctx"]["error"])
            if inner := _INNER.match(message):
                path = (*path, *_steps(inner[1]))
                where, message = written(("spec", *path)), inner[2]
            what, why, fix = parts_of(message)
            return _finding(document, path, f"{where}: {what}", why, fix)
        case _:
            what, why, fix = refusal(error)
            return _finding(document, path, f"{where}: {what}", why, fix)


def _unknown_field(document: Document, model: type[BaseModel], path: tuple[str | int, ...]) -> Finding:
    where, field = written(("spec", *path)), str(path[-1])
    if is_not_yet(model, field):
        what = f"{where} is not supported by this release yet"
        return _finding(document, path, what, "it would do nothing", "remove it")
    known = list(_fields(model))
    meant = closest(field, known)
    fix = f"did you mean {meant}?" if meant else f"use {', '.join(known)}"
    return _finding(document, path, f"{where} is an unknown field", "it would be dropped", fix)


def _finding(document: Document, path: tuple[str | int, ...], what: str, why: str, fix: str) -> Finding:
    return Finding(document.file, document.line(("spec", *path)), Severity.ERROR, what, why, fix)


def _clean(value: Plain, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The location without the names that pydantic gives to a union's members and to a map's keys."""
    path: list[str | int] = []
    for part in location:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if part < len(value):
                value = value[part]
            case dict(), str() if part != "[key]" and len(path) == len(location) - 1:
                pass
            case _:
                continue
        path.append(part)
    return tuple(path)


def _steps(text: str) -> Iterator[str | int]:
    for part in re.findall(r"[a-zA-Z]+|\d+", text):
        yield int(part) if part.isdigit() else part


def _model_at(model: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel]:
    for part in path:
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                model = next(_models_in(field.annotation), model)
                break
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - an annotation has no type of its own
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _fields(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}


def _clause(sentence: str) -> str:
    """A field's description, to stand within a sentence."""
    first = " ".join(sentence.split()).removesuffix(".")
    return first[:1].lower() + first[1:]
