"""A backup without a record: what was rejected does not become stable when an operator looks in mid-restore."""

from datetime import timedelta
from typing import Any

from headgate.cli.backup.archive import Archive, saved
from headgate.cli.backup.records import with_records
from headgate.cluster.objects import CONFIG_MAP, ROLLOUT
from tests.controller import documents
from tests.controller.house import House

HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


def asked(version: str, generation: int) -> dict[str, Any]:
    made = documents.rollout(version, gates=[], steps=HELD, rollback={"revertSpec": "Never"})
    made["metadata"].update(namespace="ai", generation=generation, creationTimestamp="2026-11-20T00:00:00Z")
    return made


async def rejected() -> House:
    """v2 was rejected, and the spec, which is kept elsewhere, still names it."""
    house = House()
    await house.versions("v1", "v2")
    house.put(ROLLOUT, asked("v1", 1))
    await house.look(1)
    house.put(ROLLOUT, asked("v2", 2))
    for _ in range(3):
        await house.look(1)
    house.annotate(abort="1")
    for _ in range(4):
        await house.look(1)
    assert [each["version"] for each in house.status["rejected"]] == ["v2"]
    return house


async def test_a_look_between_a_rollout_and_its_status_goes_by_the_record_that_was_made_of_that_status() -> None:
    before = await rejected()
    archive = with_records(Archive("t", [], [saved(ROLLOUT, before.rollout)]))
    after = House()
    after.time = before.time + timedelta(days=1)
    await after.versions("v1", "v2")
    for each in archive.objects:
        if each.kind == CONFIG_MAP:
            after.tell(CONFIG_MAP, after.cluster.put(CONFIG_MAP, each.content))
    after.put(ROLLOUT, asked("v2", 1))
    for _ in range(4):
        await after.look(1)
    assert after.status["stable"]["version"] == "v1"
    assert [each["version"] for each in after.status["rejected"]] == ["v2"]
    assert after.status["weight"] == 0


async def test_a_record_that_the_backup_holds_is_the_one_that_is_restored() -> None:
    before = await rejected()
    record = before.cluster.at(CONFIG_MAP, "reply-record")
    archive = Archive("t", [], [saved(CONFIG_MAP, record), saved(ROLLOUT, before.rollout)])
    assert with_records(archive).objects == archive.objects


async def test_the_same_backup_makes_the_same_records() -> None:
    archive = Archive("t", [], [saved(ROLLOUT, (await rejected()).rollout)])
    assert with_records(archive) == with_records(archive)
    assert with_records(with_records(archive)) == with_records(archive)
