"""The file that a backup is: objects as the API server had them, each with its checksum. Knows no cluster."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from headgate.api.model import API_VERSION
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    PROMPT_VERSION,
    QUALITY_GATE,
    ROLLOUT,
    Json,
    JsonValue,
    Kind,
)

KINDS = (CONFIG_MAP, CONTROLLER_REVISION, PROMPT_VERSION, QUALITY_GATE, ROLLOUT)
"""What a backup holds, in the order in which it is restored: what keeps a Rollout safe is there before it."""
_BY_NAME = {(kind.api_version, kind.kind): kind for kind in KINDS}
_KIND = "Backup"


@dataclass(frozen=True, slots=True)
class Saved:
    """One object of a backup."""

    kind: Kind
    namespace: str
    name: str
    content: Json

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup."""

    taken_at: str
    active: Sequence[Json]
    """For people: which version every Rollout had active, and how far another had come."""
    objects: Sequence[Saved]


def saved(kind: Kind, raw: Json) -> Saved:
    """The object as it goes into a backup; what a list leaves out is added."""
    metadata = cast("Mapping[str, JsonValue]", raw["metadata"])
    content: Json = {**raw, "apiVersion": kind.api_version, "kind": kind.kind}
    return Saved(kind, str(metadata["namespace"]), str(metadata["name"]), content)


def written(archive: Archive) -> str:
    """The file's text."""
    entries: list[JsonValue] = [{"sha256": checksum(each.content), "object": each.content} for each in archive.objects]
    document: Json = {
        "apiVersion": API_VERSION,
        "kind": _KIND,
        "takenAt": archive.taken_at,
        "active": list(archive.active),
        "objects": entries,
    }
    return json.dumps({**document, "sha256": _whole(document)}, ensure_ascii=False, indent=1) + "\n"


def save(archive: Archive, file: Path) -> None:
    """Writes the file whole or not at all, readable by its owner only: prompts may be secret."""
    if not file.name:
        raise CommandError(f"--output {file}: names no file")
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(written(archive))
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise CommandError(f"--output {file}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def read(file: Path) -> Archive:
    """The backup in that file. Raises CommandError when it is none, or a checksum says that it was changed."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", ExitStatus.USAGE) from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file}: cut off, or no backup of headgate: {error}", ExitStatus.USAGE) from error
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise CommandError(f"{file}: no backup of headgate", ExitStatus.USAGE)
    if document.get("apiVersion") != API_VERSION:
        what = str(document.get("apiVersion"))[:80]
        raise CommandError(
            f"{file}: a backup in the format {what!r}, and this release reads {API_VERSION!r};"
            " restore it with the release that wrote it",
            ExitStatus.USAGE,
        )
    try:
        objects = tuple(_entry(file, entry) for entry in document["objects"])
        if document["sha256"] != _whole({**document, "sha256": None}):
            raise CommandError(f"{file}: its checksum does not fit: objects were added, left out or changed")
        return Archive(str(document["takenAt"]), document["active"], objects)
    except (KeyError, TypeError) as error:
        raise CommandError(f"{file}: no backup of headgate: {error} is missing or malformed") from error
    except (UnicodeEncodeError, RecursionError) as error:
        raise CommandError(f"{file}: no backup of headgate: what it holds cannot be checked: {error}") from error


def checksum(value: JsonValue) -> str:
    """The sha256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(file: Path, entry: Mapping[str, JsonValue]) -> Saved:
    content = cast("Json", entry["object"])
    kind = _BY_NAME.get((str(content["apiVersion"]), str(content["kind"])))
    if kind is None:
        raise CommandError(f"{file}: holds a {str(content['kind'])[:80]!r}, which no backup of headgate does")
    found = saved(kind, content)
    if entry["sha256"] != checksum(content):
        raise CommandError(f"{file}: {found} is not what was saved: its checksum does not fit")
    return found


def _whole(document: Json) -> str:
    entries = cast("Sequence[Mapping[str, JsonValue]]", document["objects"])
    about: Json = {name: document[name] for name in ("takenAt", "active")}
    return checksum({**about, "objects": [entry["sha256"] for entry in entries]})
