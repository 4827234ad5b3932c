"""Hooks beside the looks: what is due runs once, what is not does not, and nothing of it reaches the looks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from headgate.aftermath.webhooks import Webhooks
from headgate.api.configuration import Configuration, Webhook
from headgate.cluster.objects import CRON_JOB, Json, Kind, Objects
from headgate.controller.aftermath import Aftermath
from headgate.controller.case import Case
from headgate.controller.metrics import Metrics
from headgate.engine.observation import Key
from tests.aftermath.cron_jobs import cron_job
from tests.aftermath.hooks import MADE, POSTED, at_once, too_late
from tests.aftermath.receiver import Receiver
from tests.delivery.memory_cluster import MemoryCluster

REPLY = Key("ai", "reply")
CACHE, SMOKE = (POSTED.attempt, POSTED.name), (MADE.attempt, MADE.name)


class Beside:
    """An aftermath, one Rollout's case, and who is poked."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.cluster = MemoryCluster()
        self.case = Case(POSTED.uid)
        self.leads = True
        self.now = at_once()
        self.writer: Objects = self.cluster
        self.poked = asyncio.Event()
        webhook = Webhook(name="cache", url=receiver.url, timeout="1m")
        self.aftermath = Aftermath(
            Webhooks(Configuration(hooks=[webhook])),
            self.cluster,
            Metrics(),
            writer_of=self._writer_of,
            now=lambda: self.now,
            done=lambda _key: self.poked.set(),
            may_act=lambda: self.leads,
        )

    async def _writer_of(self, _key: Key) -> Objects:
        return self.writer

    async def ends(self) -> None:
        async with asyncio.timeout(20):
            await self.poked.wait()
        self.poked.clear()


@pytest.fixture
async def beside() -> AsyncIterator[Beside]:
    receiver = Receiver()
    made = Beside(receiver)
    yield made
    await made.aftermath.stop()
    receiver.close()


async def test_what_is_due_runs_once_and_its_end_is_kept_until_it_is_committed(beside: Beside) -> None:
    for _ in range(3):
        beside.aftermath.keep_up(REPLY, beside.case, [POSTED])
    await beside.ends()
    beside.aftermath.keep_up(REPLY, beside.case, [POSTED])
    assert beside.case.hook_results[CACHE].succeeded
    assert beside.case.hooks == {}
    assert len(beside.receiver.posts) == 1
    beside.aftermath.keep_up(REPLY, beside.case, [])
    assert beside.case.hook_results == {}


async def test_what_is_not_due_any_more_is_ended(beside: Beside) -> None:
    beside.receiver.hangs()
    beside.aftermath.keep_up(REPLY, beside.case, [POSTED])
    await beside.receiver.is_posted_to()
    [task] = beside.case.hooks.values()
    beside.aftermath.keep_up(REPLY, beside.case, [])
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()
    assert beside.case.hooks == {}
    assert not beside.poked.is_set()


async def test_a_rollout_that_is_gone_calls_nobody(beside: Beside) -> None:
    beside.receiver.hangs()
    beside.aftermath.keep_up(REPLY, beside.case, [POSTED])
    await beside.receiver.is_posted_to()
    [task] = beside.case.hooks.values()
    beside.case.close()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_headgates_own_fault_is_a_failed_hook_and_no_crash(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(kind: Kind, namespace: str, name: str) -> Json:
        raise RuntimeError("a bug")

    monkeypatch.setattr(beside.cluster, "get", breaks)
    beside.aftermath.keep_up(REPLY, beside.case, [MADE])
    await beside.ends()
    result = beside.case.hook_results[SMOKE]
    assert (result.succeeded, result.message) == (False, "headgate's own fault: RuntimeError")


async def test_a_replica_that_does_not_lead_posts_nothing(beside: Beside) -> None:
    beside.leads = False
    beside.aftermath.keep_up(REPLY, beside.case, [replace(POSTED, retries=0)])
    await beside.ends()
    assert "Lease" in beside.case.hook_results[CACHE].message
    assert beside.receiver.posts == []


async def test_a_webhook_of_others_is_not_posted_to(beside: Beside) -> None:
    beside.aftermath.keep_up(REPLY, beside.case, [replace(POSTED, webhook="other")])
    await beside.ends()
    assert "is not in the operator's configuration" in beside.case.hook_results[CACHE].message
    assert beside.receiver.posts == []


async def test_whoever_was_away_for_longer_than_a_hook_has_calls_nobody_and_makes_nothing(beside: Beside) -> None:
    beside.now = too_late()
    beside.cluster.put(CRON_JOB, cron_job())
    beside.aftermath.keep_up(REPLY, beside.case, [POSTED, MADE])
    while len(beside.case.hook_results) < 2:
        await beside.ends()
    for which in (CACHE, SMOKE):
        result = beside.case.hook_results[which]
        assert (result.succeeded, "its time was over" in result.message) == (False, True)
    assert beside.receiver.posts == []
    assert beside.cluster.writes == []


async def test_the_end_of_the_operator_waits_for_no_receiver(beside: Beside) -> None:
    beside.receiver.hangs()
    beside.aftermath.keep_up(REPLY, beside.case, [POSTED])
    await beside.receiver.is_posted_to()
    async with asyncio.timeout(5):
        await beside.aftermath.stop()
    assert beside.case.hook_results == {}
