"""Runs hooks beside the looks: those that are due run, no others do, and the end of one is a poke. Decides nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from headgate.aftermath.job_run import JobRun
from headgate.aftermath.post_run import PostRun
from headgate.aftermath.tries import Call, Ending, run
from headgate.aftermath.webhooks import Webhooks
from headgate.cluster.objects import Objects
from headgate.controller.case import Case
from headgate.controller.metrics import Metrics
from headgate.engine.hooks import DueHook, HookResult
from headgate.engine.observation import Key, RolloutView

_JOBS_AT_ONCE = 2
_GRACE_SECONDS = 30.0
"""How long after a Job's deadline is waited to see that it met it."""
_log = logging.getLogger(__name__)


class Aftermath:
    """What goes on because of reverts that were committed before."""

    def __init__(
        self,
        webhooks: Webhooks,
        objects: Objects,
        metrics: Metrics,
        *,
        writer_of: Callable[[Key], Awaitable[Objects]],
        now: Callable[[], datetime],
        done: Callable[[Key], None],
        may_act: Callable[[], bool],
    ) -> None:
        """``done`` is told when a hook of a Rollout ended; ``may_act`` whether this replica is the one that acts.

        ``writer_of`` finds as whom a Rollout's Jobs are made.
        """
        self._writer_of = writer_of
        self._webhooks = webhooks
        self._objects = objects
        self._metrics = metrics
        self._now = now
        self._done = done
        self._may_act = may_act
        self._jobs = asyncio.Semaphore(_JOBS_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def problems(self, view: RolloutView) -> Mapping[str, str]:
        """By name, why hooks that a Rollout's spec names cannot be run, as far as that is known without asking."""
        if view.spec is None or view.spec.rollback is None:
            return {}
        problems = {
            hook.name: self._webhooks.problem(hook.webhook.name, view.namespace)
            for hook in view.spec.rollback.after
            if hook.webhook is not None
        }
        return {name: problem for name, problem in problems.items() if problem is not None}

    def keep_up(self, key: Key, case: Case, due: Sequence[DueHook]) -> None:
        """Begins what is due and neither runs nor has ended; ends what is not due any more. Waits for nothing."""
        wanted = {(hook.attempt, hook.name): hook for hook in due}
        for which in case.hooks.keys() - wanted.keys():
            case.hooks.pop(which).cancel()
        for which in case.hook_results.keys() - wanted.keys():
            del case.hook_results[which]
        for which, hook in wanted.items():
            if which not in case.hooks and which not in case.hook_results:
                task = asyncio.create_task(self._run(key, case, hook), name=f"hook {hook.key}")
                case.hooks[which] = task
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Ends all hooks at once; those that are pending are begun again by whoever decides next."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._webhooks.close()

    async def _run(self, key: Key, case: Case, hook: DueHook) -> None:
        started, which = self._now(), (hook.attempt, hook.name)
        try:
            ending = await self._ending(key, hook)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a hook is its failure, never a crash
            _log.exception("%s: hook %r of attempt %d", key, hook.name, hook.attempt)
            ending = Ending(succeeded=False, message=f"headgate's own fault: {type(error).__name__}", tries=0)
        _log.info("%s: hook %r of attempt %d: %s", key, hook.name, hook.attempt, ending.message)
        self._metrics.hook_ended(succeeded=ending.succeeded)
        case.hooks.pop(which, None)
        case.hook_results[which] = HookResult(ending.succeeded, ending.message, ending.tries, started, self._now())
        self._done(key)

    async def _ending(self, key: Key, hook: DueHook) -> Ending:
        if hook.webhook is None:
            job = JobRun(hook, self._objects, lambda: self._writer_of(key), self._jobs, now=self._now)
            return await run(hook, job, self._now, grace=_GRACE_SECONDS)
        poster = self._webhooks.poster(hook.webhook, hook.namespace)
        if isinstance(poster, str):
            return Ending(succeeded=False, message=poster, tries=0)
        call: Call = PostRun(hook, poster, self._may_act)
        return await run(hook, call, self._now)
