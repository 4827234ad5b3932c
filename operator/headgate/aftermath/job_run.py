"""A hook that is a Job: made once, and looked at until it ends. It reaches the API server through Objects alone.

That it is there is how it is known that it was made. It is made within the hook's time alone, and kept for longer than
that, so that it is known for as long as it matters.
"""

import asyncio
from collections.abc import Awaitable, Callable

from headgate.aftermath.job_document import KEY, job_document, job_name
from headgate.aftermath.tries import FailedTry, HookFailed, Now, Sleep
from headgate.cluster.objects import CRON_JOB, JOB, AlreadyExists, ClusterError, Json, NotFound, Objects, Refused
from headgate.engine.hooks import DueHook

Writer = Callable[[], Awaitable[Objects]]
"""Finds as whom something is written. Raises ClusterError."""

_FIRST_POLL = 2.0
_GROWTH = 1.5
_LONGEST_POLL = 60.0


class JobRun:
    """One hook's Job."""

    def __init__(
        self,
        hook: DueHook,
        objects: Objects,
        writer: Writer,
        turn: asyncio.Semaphore,
        *,
        now: Now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """``writer`` finds as whom the Job is made; it is looked at by ``objects``.

        ``turn`` bounds how many Jobs are asked about at once: what must not wait asks the same API server.
        """
        self._hook = hook
        self._objects = objects
        self._writer = writer
        self._turn = turn
        self._now = now
        self._sleep = sleep
        self._name = job_name(hook)

    @property
    def what(self) -> str:
        """The Job."""
        return f"Job {self._name}"

    async def begin(self) -> None:
        """Makes the Job, or finds that it was made before. Raises FailedTry."""
        hook = self._hook
        try:
            async with self._turn:
                cron_job = await self._objects.get(CRON_JOB, hook.namespace, hook.cron_job or "")
                document = job_document(hook, cron_job, hook.left(self._now()))
                try:
                    await (await self._writer()).create(JOB, hook.namespace, document)
                except AlreadyExists:
                    await self._find()
        except ClusterError as error:
            raise _failed(error) from error

    async def find(self) -> None:
        """Finds the Job that was made before. Raises HookFailed when there is none, FailedTry."""
        try:
            async with self._turn:
                await self._find()
        except NotFound:
            raise HookFailed(f"{self.what} is not there any more, or was never made, and its time was over") from None
        except ClusterError as error:
            raise _failed(error) from error

    async def outcome(self) -> str:
        """Waits for the Job's end. Raises HookFailed when it failed, was deleted, or may not be looked at."""
        wait = _FIRST_POLL
        while True:
            await self._sleep(wait)
            wait = min(wait * _GROWTH, _LONGEST_POLL)
            try:
                async with self._turn:
                    found = await self._objects.get(JOB, self._hook.namespace, self._name)
            except NotFound:
                raise HookFailed(f"{self.what} was deleted before it was seen to end") from None
            except Refused as error:
                raise HookFailed(_one_line(str(error))) from error
            except ClusterError:
                continue
            if not self._is_ours(found):
                raise HookFailed(f"{self.what} was replaced by another's before it was seen to end")
            if (end := _end(found)) is not None:
                kind, why = end
                if kind == "Complete":
                    return f"{self.what} completed"
                raise HookFailed(_one_line(f"{self.what} failed: {why}"))

    async def _find(self) -> None:
        if not self._is_ours(await self._objects.get(JOB, self._hook.namespace, self._name)):
            raise FailedTry(f"{self.what} is there already and is another's: delete it")

    def _is_ours(self, job: Json) -> bool:
        metadata = job.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        return isinstance(annotations, dict) and annotations.get(KEY) == self._hook.key


def _end(job: Json) -> tuple[str, str] | None:
    """How a Job ended, and why; None while it has not."""
    status = job.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for condition in conditions if isinstance(conditions, list) else ():
        if not isinstance(condition, dict) or condition.get("status") != "True":
            continue
        if (kind := condition.get("type")) in ("Complete", "Failed"):
            return str(kind), f"{condition.get('reason') or ''}: {condition.get('message') or ''}"
    return None


def _failed(error: ClusterError) -> FailedTry:
    return FailedTry(_one_line(str(error)), getattr(error, "retry_after", None))


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:500]
