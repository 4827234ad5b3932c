"""A hook that is a Job: made once, whatever the API server answers, and followed to its end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from headgate.aftermath.job_document import KEY, job_name
from headgate.aftermath.job_run import JobRun
from headgate.aftermath.tries import FailedTry, HookFailed
from headgate.cluster.objects import CRON_JOB, JOB, ClusterError, Json, Kind, Objects, Refused, Unavailable
from tests.aftermath.cron_jobs import cron_job
from tests.aftermath.hooks import MADE, at_once
from tests.delivery.memory_cluster import MemoryCluster

NAME = job_name(MADE)


class Cluster(MemoryCluster):
    """Gets may fail; the Job is looked at as ``states`` say, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[ClusterError] = []
        self.put(CRON_JOB, cron_job())

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        if kind == JOB and self.failures:
            raise self.failures.pop(0)
        return await super().get(kind, namespace, name)

    def made(self) -> list[str]:
        return [name for kind, _, name in self.objects if kind == JOB]

    def ends(self, kind: str, reason: str = "", message: str = "") -> None:
        """As the Job controller does it."""
        job = self.at(JOB, NAME)
        condition: Json = {"type": kind, "status": "True", "reason": reason, "message": message}
        self.put(JOB, {**job, "status": {"conditions": [{"type": "Suspended", "status": "False"}, condition]}})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def job_run(cluster: Cluster, *happenings: Callable[[], None]) -> tuple[JobRun, list[float]]:
    """One that sleeps no time, while what is given happens."""
    left, slept = list(happenings), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if left:
            left.pop(0)()

    async def writer() -> Objects:
        return cluster

    return JobRun(MADE, cluster, writer, asyncio.Semaphore(1), now=at_once, sleep=sleep), slept


def nothing() -> None:
    """A while passes."""


async def test_it_is_made_and_followed_to_its_end(cluster: Cluster) -> None:
    run, slept = job_run(cluster, nothing, nothing, lambda: cluster.ends("Complete"))
    await run.begin()
    assert cluster.made() == [NAME]
    assert await run.outcome() == f"Job {NAME} completed"
    assert slept == [2.0, 3.0, 4.5]


async def test_it_is_looked_at_ever_more_seldom(cluster: Cluster) -> None:
    run, slept = job_run(cluster, *[nothing] * 30, lambda: cluster.ends("Complete"))
    await run.begin()
    await run.outcome()
    assert slept[-1] == 60.0


async def test_after_a_crash_the_same_job_is_found_and_none_is_made(cluster: Cluster) -> None:
    await job_run(cluster)[0].begin()
    run, _ = job_run(cluster, lambda: cluster.ends("Complete"))
    await run.begin()
    assert cluster.made() == [NAME]
    assert await run.outcome() == f"Job {NAME} completed"


async def test_a_job_that_ended_and_was_cleaned_up_is_not_said_never_to_have_been_made(cluster: Cluster) -> None:
    await job_run(cluster)[0].begin()
    cluster.ends("Complete")
    # As ttlSecondsAfterFinished has it, while the operator is away.
    cluster.objects = {key: held for key, held in cluster.objects.items() if key[0] != JOB}
    with pytest.raises(HookFailed) as failed:
        await job_run(cluster)[0].find()
    assert str(failed.value) == f"Job {NAME} is not there any more, or was never made, and its time was over"


async def test_a_failed_job_says_why(cluster: Cluster) -> None:
    run, _ = job_run(cluster, lambda: cluster.ends("Failed", "BackoffLimitExceeded", "it was tried\n\x1b[31moften"))
    await run.begin()
    with pytest.raises(HookFailed) as failed:
        await run.outcome()
    assert str(failed.value) == f"Job {NAME} failed: BackoffLimitExceeded: it was tried [31moften"


async def test_a_job_of_that_name_that_is_anothers_is_left_alone(cluster: Cluster) -> None:
    theirs: dict[str, Any] = {"metadata": {"name": NAME, "annotations": {KEY: "another"}}}
    cluster.put(JOB, theirs)
    with pytest.raises(FailedTry, match="is another's"):
        await job_run(cluster)[0].begin()
    assert cluster.at(JOB, NAME)["metadata"]["annotations"] == {KEY: "another"}


async def test_a_cron_job_that_is_not_there_is_a_try_that_failed(cluster: Cluster) -> None:
    cluster.objects.clear()
    with pytest.raises(FailedTry, match="CronJob smoke-evaluation: not there"):
        await job_run(cluster)[0].begin()


async def test_a_server_that_does_not_answer_is_asked_again(cluster: Cluster) -> None:
    run, slept = job_run(cluster, nothing, nothing, lambda: cluster.ends("Complete"))
    await run.begin()
    cluster.failures = [Unavailable("no answer"), Unavailable("no answer")]
    assert await run.outcome() == f"Job {NAME} completed"
    assert len(slept) == 3


async def test_what_may_not_be_looked_at_or_is_gone_is_given_up(cluster: Cluster) -> None:
    run, _ = job_run(cluster)
    await run.begin()
    cluster.failures = [Refused("jobs.batch is forbidden: nobody may")]
    with pytest.raises(HookFailed, match="forbidden: nobody may"):
        await run.outcome()
    del cluster.objects[JOB, "ai", NAME]
    with pytest.raises(HookFailed, match="was deleted before it was seen to end"):
        await run.outcome()
    cluster.put(JOB, {"metadata": {"name": NAME}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}})
    with pytest.raises(HookFailed, match="replaced by another's"):
        await run.outcome()


async def test_once_its_time_is_over_a_job_that_was_made_is_found(cluster: Cluster) -> None:
    await job_run(cluster)[0].begin()
    run, _ = job_run(cluster, lambda: cluster.ends("Complete"))
    await run.find()
    assert await run.outcome() == f"Job {NAME} completed"


async def test_once_its_time_is_over_a_job_that_is_not_there_any_more_is_not_made_again(cluster: Cluster) -> None:
    await job_run(cluster)[0].begin()
    del cluster.objects[JOB, "ai", NAME]
    with pytest.raises(HookFailed, match="its time was over"):
        await job_run(cluster)[0].find()
    assert cluster.made() == []


async def test_once_its_time_is_over_a_server_that_does_not_answer_is_asked_again(cluster: Cluster) -> None:
    cluster.failures = [Unavailable("no answer")]
    with pytest.raises(FailedTry, match="no answer"):
        await job_run(cluster)[0].find()
