"""Reads the operator's configuration file strictly: each mistake in one line that names the key and the way out."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import cast

import yaml
from pydantic import BaseModel, ValidationError

from headgate.api.configuration import Alerts, AlertToken, Configuration, Source, Webhook
from headgate.api.target_kind import TargetKind
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError

_LATER = frozenset({"notify"})


def read_configuration(file: Path) -> Configuration:
    """The configuration in that file; an empty file means every default.

    Raises CommandError when the file or a file that it names cannot be read, or a key or value is not understood.
    """
    content = _content(file)
    for key in sorted(_LATER & content.keys(), key=str):
        raise _wrong(file, str(key), "not supported by this release yet; remove it")
    try:
        configuration = Configuration.model_validate(content)
    except ValidationError as error:
        raise _wrong(file, *_first_problem(error)) from error
    for key, named in _named_files(configuration):
        _check_file(file, key, named)
    return configuration


def _content(file: Path) -> Mapping[object, object]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"--config {file}: {error.strerror}", ExitStatus.USAGE) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--config {file}: not UTF-8", ExitStatus.USAGE) from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise CommandError(f"{file}{line}: no YAML: {error.problem}", ExitStatus.USAGE) from error
    except yaml.YAMLError as error:
        raise CommandError(f"{file}: no YAML: {error}", ExitStatus.USAGE) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise CommandError(f"{file}: not a mapping of keys; see the README for an example", ExitStatus.USAGE)
    return cast("Mapping[object, object]", content)


def _first_problem(error: ValidationError) -> tuple[str, str]:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ""
    for part in problem["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
    if problem["type"] != "extra_forbidden":
        return where, problem["msg"].removeprefix("Value error, ")
    known = _keys_of(_section(problem["loc"]))
    near = get_close_matches(str(problem["loc"][-1]), known, n=1)
    return where, f"unknown key; did you mean {near[0]}?" if near else f"unknown key; there are {', '.join(known)}"


def _section(location: tuple[int | str, ...]) -> type[BaseModel]:
    match location:
        case (_,):
            return Configuration
        case ("alerts", _):
            return Alerts
        case ("alerts", *_):
            return AlertToken
        case ("targets", *_):
            return TargetKind
        case ("hooks", *_):
            return Webhook
        case _:
            return Source


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _named_files(configuration: Configuration) -> Iterator[tuple[str, str]]:
    for index, source in enumerate(configuration.sources):
        for key, named in (("bearerTokenFile", source.bearer_token_file), ("caFile", source.ca_file)):
            if named is not None:
                yield f"sources[{index}].{key}", named
    for index, hook in enumerate(configuration.hooks):
        named_by = {"urlFile": hook.url_file, "bearerTokenFile": hook.bearer_token_file, "caFile": hook.ca_file}
        for key, named in named_by.items():
            if named is not None:
                yield f"hooks[{index}].{key}", named
    if configuration.alerts is not None:
        for index, token in enumerate(configuration.alerts.tokens):
            yield f"alerts.tokens[{index}].file", token.file


def _check_file(file: Path, key: str, named: str) -> None:
    try:
        with Path(named).open("rb"):
            pass
    except OSError as error:
        raise _wrong(file, key, f"{named}: {error.strerror}") from error


def _wrong(file: Path, key: str, what: str) -> CommandError:
    return CommandError(f"{file}: {key}: {what}" if key else f"{file}: {what}", ExitStatus.USAGE)
