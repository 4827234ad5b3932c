"""The file that the service reads is replaced whole, and never unnoticed."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from headgate.cluster.objects import Json
from headgate.local.demo import flag_sync


async def _states(*states: Json) -> AsyncIterator[Json]:
    for state in states:
        yield state


async def test_the_file_holds_the_newest_value_of_the_key(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    states = _states({"data": {"flags.json": "one"}}, {"data": {"flags.json": "two", "other": "three"}})
    await flag_sync.sync(states, "flags.json", file)
    assert file.read_text() == "two"


async def test_a_state_without_the_key_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    await flag_sync.sync(_states({"data": {"flags.json": "one"}}, {"data": {}}, {}), "flags.json", file)
    assert file.read_text() == "one"


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    flag_sync.replace(file, "content")
    assert list(tmp_path.iterdir()) == [file]


def test_the_time_is_later_even_when_the_clock_is_not(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    flag_sync.replace(file, "one")
    ahead = file.stat().st_mtime + 100.0
    os.utime(file, (ahead, ahead))
    flag_sync.replace(file, "two")
    assert file.stat().st_mtime > ahead


def test_a_reader_keeps_the_document_that_it_opened(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    flag_sync.replace(file, "the old document")
    with file.open() as reader:
        flag_sync.replace(file, "new")
        assert reader.read() == "the old document"
    assert file.read_text() == "new"
