"""A file that was changed, cut off or made up is not restored; what it lacks is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from headgate.cli.backup.archive import Archive, save, saved
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.main import app
from headgate.cluster.objects import CONFIG_MAP, CONTROLLER_REVISION, QUALITY_GATE, ROLLOUT
from headgate.engine.content import content_of
from tests.controller import documents

Change: TypeAlias = Callable[[dict[str, Any]], object]
GONE = f"sha256:{'0' * 64}"


def raw(document: dict[str, Any], **more: object) -> dict[str, Any]:
    identity = {"uid": "u", "namespace": "ai", "resourceVersion": "1", "generation": 1}
    return {**document, **more, "metadata": {**document["metadata"], **identity}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    stable = {"version": "v1", "digest": GONE, "slot": 0}
    rollout = raw(documents.rollout("v1"), status={"observedGeneration": 1, "revision": 3, "stable": stable})
    save(
        Archive("2026-11-21T12:00:00Z", [], [saved(QUALITY_GATE, raw(documents.gate())), saved(ROLLOUT, rollout)]),
        tmp_path / "backup.json",
    )
    return tmp_path / "backup.json"


def verify(file: Path) -> Result:
    return CliRunner().invoke(app, ["restore", str(file), "--verify"])


def changed(file: Path, change: Change) -> Path:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


def test_a_sound_file_is_called_so_and_what_it_lacks_is_said(file: Path) -> None:
    found = verify(file)
    assert found.exit_code == 0, found.output
    assert "sound, 2 objects" in found.output
    assert "Rollout ai/reply: its stable version v1 is not among the PromptVersions" in found.output
    assert "Rollout ai/reply: its record is missing" in found.output
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["objects"][1]["object"]["status"].update(weight=100), "Rollout ai/reply is not what was saved"),
        (lambda it: it["objects"].pop(), "objects were added, left out or changed"),
        (lambda it: it["active"].append({}), "objects were added, left out or changed"),
        (lambda it: it.pop("sha256"), "'sha256' is missing"),
        (lambda it: it["objects"][0]["object"].update(kind="ClusterRole"), "holds a 'ClusterRole'"),
        (lambda it: it.update(kind="List"), "no backup of headgate"),
        (lambda it: it.update(apiVersion="headgate.dev/v2"), "restore it with the release that wrote it"),
    ],
)
def test_a_changed_file_is_refused(file: Path, change: Change, said: str) -> None:
    found = verify(changed(file, change))
    assert found.exit_code != 0
    assert said in found.output


def test_without_a_record_a_status_that_cannot_be_read_is_not_restored(file: Path) -> None:
    content = json.loads(file.read_text())
    [_, rollout] = [entry["object"] for entry in content["objects"]]
    rollout["status"]["rejected"] = [{"digest": GONE, "aWordOfANewerRelease": 1}]
    save(Archive("2026-11-21T12:00:00Z", [], [saved(ROLLOUT, rollout)]), file)
    found = verify(file)
    assert found.exit_code == ExitStatus.FAILED
    assert "Rollout ai/reply: its record is missing, and its status cannot be read: rejected" in found.output


def test_a_file_that_was_cut_off_is_refused(file: Path) -> None:
    file.write_text(file.read_text()[:-40])
    assert "cut off" in verify(file).output


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_a_file_that_is_nested_without_end_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    found = verify(file)
    assert found.exit_code == 2
    assert found.stderr.startswith(f"error: {file}: cut off, or no backup of headgate")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(takenAt="\ud800"),
        lambda it: it["objects"][0]["object"]["spec"].update(note="\ud800"),
    ],
)
def test_a_file_with_half_a_character_is_refused(file: Path, change: Change) -> None:
    found = verify(changed(file, change))
    assert found.exit_code == 1
    assert found.stderr.startswith(f"error: {file}: no backup of headgate")
    assert found.stderr.count("\n") == 1


def test_what_cannot_be_saved_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(CommandError, match="there: Is a directory"):
        save(Archive("2026-11-21T12:00:00Z", [], []), tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    with pytest.raises(CommandError, match="names no file"):
        save(Archive("2026-11-21T12:00:00Z", [], []), Path("/"))


def test_a_record_that_headgate_did_not_write_is_refused(tmp_path: Path) -> None:
    record = {
        "metadata": {
            "name": "reply-record",
            "labels": {"headgate.dev/rollout": "reply"},
            "annotations": {"headgate.dev/digest": GONE},
        },
        "data": {"record.json": "{}"},
    }
    save(Archive("2026-11-21T12:00:00Z", [], [saved(CONFIG_MAP, raw(record))]), tmp_path / "backup.json")
    found = verify(tmp_path / "backup.json")
    assert found.exit_code == 1
    assert "damaged: ai: ConfigMap reply-record" in found.output


@pytest.mark.parametrize(
    ("held", "said"),
    [("s3://good", None), ("s3://evil", "stable version ranker-1 is not among the ControllerRevisions")],
)
def test_a_snapshot_that_does_not_hold_what_is_stable_is_said(tmp_path: Path, held: str, said: str | None) -> None:
    content, now = (content_of({"spec": {"model": text}}, ["spec.model"]) for text in ("s3://good", held))
    target = {
        "apiVersion": "play.example.com/v1",
        "kind": "Ranker",
        "name": "ranker",
        "uid": "u",
        "fields": ["spec.model"],
    }
    stable = {"version": "ranker-1", "digest": content.digest, "slot": 0, "target": target}
    rollout = raw(documents.rollout("v1", gates=[]), status={"observedGeneration": 1, "revision": 3, "stable": stable})
    snapshot = {
        "metadata": {"name": "ranker-1", "labels": {"headgate.dev/rollout": "reply"}},
        "revision": 1,
        "data": {"fields": {"spec.model": {"value": held}}, "digest": now.digest, "uid": "u", "generation": 1},
    }
    file = tmp_path / "backup.json"
    save(
        Archive("2026-11-21T12:00:00Z", [], [saved(CONTROLLER_REVISION, raw(snapshot)), saved(ROLLOUT, rollout)]), file
    )
    found = verify(file)
    assert found.exit_code == 0
    assert (said in found.output) if said else ("ControllerRevisions" not in found.output)
