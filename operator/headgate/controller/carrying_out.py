"""Makes a decision true: record, manifest, commit, routers, spec, in that order. Decides and measures nothing."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

from headgate.api.plain_text import plain
from headgate.api.rollout_status import AttemptState, RolloutStatus
from headgate.cluster.objects import (
    ROLLOUT,
    ClusterError,
    Conflict,
    NotFound,
    Refused,
    Revisions,
    Unavailable,
)
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.status_patch import dumped, merge_patch
from headgate.cluster.store import Store
from headgate.cluster.target_snapshots import Unfit
from headgate.controller.announcer import Announcer, Regarding
from headgate.controller.case import Case
from headgate.controller.metrics import Metrics
from headgate.controller.observing import Observing
from headgate.controller.restoring import Restoring
from headgate.controller.speaking import Speaker, Speaking
from headgate.controller.targets import Targets, begins_something, unrestored
from headgate.delivery.refusals import Fenced, Unusable
from headgate.engine.authority import FORBIDDEN, refused_again
from headgate.engine.decision import Decision, Notice, NoticeKind, SpecRestore
from headgate.engine.observation import Observation, RolloutView, RouterRefusal, Unrestored
from headgate.engine.target import LONGEST_PAUSE
from headgate.engine.wayback import RESTORE_REFUSED

_DELIVER_ANYWAY = 2
"""Failed commits after which a way back reaches the routers all the same."""
_SPELL = timedelta(seconds=30)
"""For how long no answer, or one that says later, is waited out without a word; after it, it is a refusal."""
_LONGEST_UNANSWERED = timedelta(seconds=30)
_log = logging.getLogger(__name__)


class Outcome(Enum):
    """How carrying out a decision went."""

    DONE = auto()
    OVERTAKEN = auto()
    """Somebody else wrote first; what they wrote has been read. Decide again, on the same evidence."""
    STUCK = auto()
    """All but a router that a person must mend first."""
    POSTPONED = auto()
    """Something did not answer, or refuses for now. Decide again in a moment, on the same evidence."""
    UNRESTORED = auto()
    """What was released could not be put back, or what is stable could not be kept; the next decision says why."""
    GONE = auto()
    """The Rollout does not exist any more."""


_BY_WEIGHT = (Outcome.DONE, Outcome.STUCK, Outcome.POSTPONED, Outcome.UNRESTORED, Outcome.OVERTAKEN)
"""What may come of each thing that follows a commit; of several the last in this row counts."""


class CarryingOut:
    """The one way from a decision into the world."""

    def __init__(
        self,
        *,
        store: Store,
        objects: Revisions,
        snapshots: Snapshots,
        observing: Observing,
        speaking: Speaking,
        announcer: Announcer,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._objects = objects
        self._snapshots = snapshots
        self._observing = observing
        self._speaking = speaking
        self._restoring = Restoring(store, objects)
        self._targets = Targets(store, objects)
        self._announcer = announcer
        self._metrics = metrics
        self._now = now

    async def carry_out(self, seen: Observation, decision: Decision, case: Case) -> Outcome:
        """Carries one decision out, as far as the cluster lets it. Raises no ClusterError.

        Once it is committed, routers, record and spec wait for nobody but themselves.
        """
        view = seen.rollout
        case.unfinished, case.is_stuck = None, False
        try:
            if not await self._kept(seen, decision, case):
                _forget_deliveries(seen, case)
                return Outcome.UNRESTORED
            if decision.commit:
                await self._release_before_the_end(seen, decision, case)
                await self._commit(seen, decision, case)
        except ClusterError as error:
            return await self._not_committed(seen, decision, case, error)
        self._announce(view, decision)
        delivered = await self._deliver(seen, decision, case)
        if delivered is Outcome.OVERTAKEN:
            return await self._overtaken(view, case)
        rest = {await self._record_way_back(view, decision, case), await self._restore(seen, decision.restore, case)}
        case.is_stuck = rest == {Outcome.DONE} and delivered is not Outcome.DONE
        if not {delivered, *rest} & {Outcome.UNRESTORED, Outcome.POSTPONED}:
            await self._prune(view, decision)
        return max(delivered, *rest, key=_BY_WEIGHT.index)

    async def _kept(self, seen: Observation, decision: Decision, case: Case) -> bool:
        """Whether what must be kept before it is tried is kept; else the memory holds why not. Raises ClusterError."""
        if decision.urgent or not decision.commit:
            return True
        before = seen.rollout.status
        try:
            await self._targets.keep(seen, decision)
        except (Unfit, Refused, Unavailable) as error:
            if self._may_pass(case, error, case.memory.unkept):
                raise
            _log.warning("%s: %s", seen.rollout.key, error)
            if begins_something(before, decision.status):
                self._not_kept(case, error.reason if isinstance(error, Unfit) else "SnapshotRefused", error)
                return False
            # Nobody is exposed to more by this.
        try:
            await self._record(seen.rollout, decision, case)
            if decision.manifest is not None:
                await self._snapshots.create_plan(decision.manifest)
        except (Refused, Unavailable) as error:
            if self._may_pass(case, error, case.memory.unkept):
                raise
            _log.warning("%s: %s", seen.rollout.key, error)
            self._not_kept(case, "RecordRefused", error)
            return False
        if decision.record is not None or decision.manifest is not None or begins_something(before, decision.status):
            # A commit that only tells why nothing was kept has kept nothing.
            case.memory = replace(case.memory, unkept=None)
        return True

    async def _record_way_back(self, view: RolloutView, decision: Decision, case: Case) -> Outcome:
        """Puts the rejection on record; where that is refused the memory holds why."""
        if not decision.urgent or decision.record is None:
            return Outcome.DONE
        try:
            await self._record(view, decision, case)
        except ClusterError as error:
            # Where the Rollout is gone nobody is left to be told by a status.
            if view.deleting or self._may_pass(case, error, case.memory.unkept):
                return self.postponed(view, case, error)
            _log.warning("%s: %s", view.key, error)
            self._not_kept(case, "RecordRefused", error)
            return Outcome.UNRESTORED
        case.memory = replace(case.memory, unkept=None)
        return Outcome.DONE

    def _may_pass(self, case: Case, error: Exception, before: Unrestored | RouterRefusal | None) -> bool:
        """Whether it is not told, since the next try may do; ``before`` is what was told of the same thing last."""
        if not isinstance(error, ClusterError) or isinstance(error, Refused):
            return False
        lasts = case.failing_since is not None and self._now() >= case.failing_since + _SPELL
        return not (isinstance(error, Unavailable) and (before is not None or lasts))

    def _not_kept(self, case: Case, reason: str, error: Exception) -> None:
        failed = unrestored(case.memory.unkept, 0, reason, str(error), self._now(), longest=_longest_pause(error))
        case.memory = replace(case.memory, unkept=failed)

    async def _prune(self, view: RolloutView, decision: Decision) -> None:
        if decision.commit and _ends(view.status, decision.status):
            await self._targets.prune(view, decision.status)

    async def _record(self, view: RolloutView, decision: Decision, case: Case) -> None:
        if decision.record is not None:
            await self._snapshots.write_record(view.key, decision.record, committed=decision.urgent)
            account = decision.record.service_account_name
            case.memory = replace(case.memory, recorded=decision.status.revision, account_recorded=account)

    async def _restore(self, seen: Observation, wanted: SpecRestore | None, case: Case) -> Outcome:
        """Puts what was released back, or leaves it alone; where that is refused the memory holds why."""
        if wanted is None:
            return Outcome.DONE
        view, speaker = seen.rollout, None
        try:
            if wanted.target is not None:
                speaker = await self._speaking.of(view, seen.plan)
                await self._targets.restore(view, wanted.restored, wanted.target, speaker.objects)
            else:
                await self._restoring.restore(view, wanted)
        except (Unfit, ClusterError) as error:
            before, is_unheard = case.memory.unrestored, wanted.target is not None and speaker is None
            known = before if before is not None and before.attempt == wanted.attempt else None
            if isinstance(error, ClusterError) and (is_unheard or self._may_pass(case, error, known)):
                return self.postponed(view, case, error)
            _log.warning("%s: %s", view.key, error)
            reason, words = RESTORE_REFUSED, str(error)
            if isinstance(error, Unfit):
                reason = error.reason
            elif speaker is not None and (told := speaker.refusal(error))[0] == FORBIDDEN:
                reason, words = told
            account, longest = speaker.account if speaker is not None else None, _longest_pause(error)
            now = self._now()
            failed = unrestored(before, wanted.attempt, reason, words, now, account=account, longest=longest)
            case.memory = replace(case.memory, unrestored=failed)
            return Outcome.UNRESTORED
        case.released = wanted.attempt
        case.memory = replace(case.memory, restored=wanted.attempt, unrestored=None)
        return Outcome.DONE

    async def _release_before_the_end(self, seen: Observation, decision: Decision, case: Case) -> None:
        """After a crash between the restore and its end, headgate may still own the field that it restored."""
        view = seen.rollout
        before, after = view.status.attempt, decision.status.attempt
        if before is None or after is None or before.state is not AttemptState.ROLLING_BACK:
            return
        if after.state is AttemptState.ENDED and _rejected(decision.status) and case.released != after.number:
            target = after_stable.target if (after_stable := decision.status.stable) is not None else None
            try:
                if target is not None:
                    speaker = await self._speaking.of(view, seen.plan)
                    await self._targets.release(view, target, speaker.objects)
                else:
                    await self._restoring.release(view)
            except Refused as error:
                # Everything is back: what is left over is a name in managedFields, and no reason never to end.
                _log.warning("%s: headgate still owns the fields that it restored: %s", view.key, error)
            case.released = after.number

    async def _commit(self, seen: Observation, decision: Decision, case: Case) -> None:
        view = self._newest(seen.rollout)
        before = dumped(view.status) if view.status.observed_generation is not None else {}
        patch = merge_patch({**before, **view.unread}, dumped(decision.status))
        if patch:
            raw = await self._objects.merge_patch(
                ROLLOUT,
                view.namespace,
                view.name,
                {"status": patch},
                resource_version=view.resource_version,
                subresource="status",
            )
            self._store.saw_rollout(raw, poke=False)
        case.commit_failures = 0
        if _begins_way_back(seen, decision):
            case.breached_at = seen.look.at if seen.look is not None else self._now()
        self._metrics.committed(view.key, view.status, decision.status)

    def _newest(self, view: RolloutView) -> RolloutView:
        """The view that was decided on; under the newest resourceVersion when only headgate has written since."""
        known = self._store.rollouts.get(view.key)
        own = known is not None and known.uid == view.uid and is_same(known, view)
        return known if known is not None and own else view

    async def _not_committed(self, seen: Observation, decision: Decision, case: Case, error: ClusterError) -> Outcome:
        if isinstance(error, NotFound):
            return Outcome.GONE
        if isinstance(error, Conflict):
            return await self._overtaken(seen.rollout, case)
        if _begins_way_back(seen, decision):
            case.unfinished = seen, decision
        case.commit_failures += 1
        is_overtaken = False
        if not decision.urgent:
            _forget_deliveries(seen, case)
        if decision.urgent and case.commit_failures >= _DELIVER_ANYWAY:
            _log.warning("%s: the way back is delivered before it is committed", seen.rollout.key)
            is_overtaken = await self._deliver(seen, decision, case) is Outcome.OVERTAKEN
        if is_overtaken or isinstance(error, Unavailable):
            # The write may have happened: what is there now decides.
            await self._overtaken(seen.rollout, case)
        return self.postponed(seen.rollout, case, error)

    async def _overtaken(self, view: RolloutView, case: Case) -> Outcome:
        try:
            known = await self._observing.reread(view.key)
        except ClusterError as error:
            return self.postponed(view, case, error)
        return Outcome.OVERTAKEN if known is not None else Outcome.GONE

    async def _deliver(self, seen: Observation, decision: Decision, case: Case) -> Outcome:
        """Where it is OVERTAKEN the Rollout is to be read before anything else is written."""
        routing = decision.routing
        if routing is None or not decision.deliver:
            return Outcome.DONE
        try:
            speaker = await self._speaking.of(seen.rollout, decision.manifest or seen.plan)
        except ClusterError as error:
            return self.postponed(seen.rollout, case, error)
        known = self._observing.routers(seen.rollout, decision.routes, speaker.objects)
        chosen = sorted(name for name in decision.deliver if name in known)
        answers = await asyncio.gather(*(known[name].apply(routing) for name in chosen), return_exceptions=True)
        outcomes = {Outcome.DONE}
        lowers = routing.candidate is None
        for name, answer in zip(chosen, answers, strict=True):
            is_told = self._remember_answer(case, name, speaker, answer, lowers=lowers)
            match answer:
                case Fenced() | Conflict():
                    _log.info("%s: %s: %s", seen.rollout.key, name, answer)
                    outcomes.add(Outcome.OVERTAKEN)
                case Unusable():
                    # A person must act; the next look says so in the status, and their change brings it about.
                    _log.info("%s: %s: %s", seen.rollout.key, name, answer)
                    outcomes.add(Outcome.STUCK)
                case ClusterError() if is_told:
                    # The next look says so, and the others, and what is left of a way back, wait for nobody's rights.
                    _log.warning("%s: %s: %s", seen.rollout.key, name, answer)
                    outcomes.add(Outcome.STUCK)
                case ClusterError():
                    outcomes.add(self.postponed(seen.rollout, case, answer))
                case BaseException():
                    raise answer
                case _:
                    continue
        outcome = max(outcomes, key=_BY_WEIGHT.index)
        if outcome is Outcome.DONE and case.breached_at is not None and routing.weight == 0:
            self._metrics.reverted((self._now() - case.breached_at).total_seconds())
            self._metrics.taken_back(seen.rollout.key, decision.status)
            case.breached_at = None
        return outcome

    def _remember_answer(self, case: Case, router: str, speaker: Speaker, answer: object, *, lowers: bool) -> bool:
        """Whether the router was refused, so that the status will tell why."""
        before = case.memory.refused.get(router)
        known = {name: refusal for name, refusal in case.memory.refused.items() if name != router}
        if isinstance(answer, ClusterError) and not self._may_pass(case, answer, before):
            reason, words = speaker.refusal(answer)
            soon = lowers or isinstance(answer, Unavailable)
            known[router] = refused_again(before, speaker.account, reason, words, self._now(), soon=soon)
        elif isinstance(answer, BaseException):
            return False
        else:
            case.released = 0  # a weight that is written after the restore is headgate's again
        case.memory = replace(case.memory, refused=known)
        return router in known

    def postponed(self, view: RolloutView, case: Case, error: ClusterError) -> Outcome:
        """Something that did not answer, or that a person must first allow, which people are told once."""
        case.told_to_wait = (error.retry_after or 0.0) if isinstance(error, Unavailable) else 0.0
        _log.warning("%s: %s", view.key, error, extra={"failures": case.failures + 1})
        if isinstance(error, Refused) and case.refusal != str(error):
            case.refusal = str(error)
            # Where the Rollout is gone, the next one of its name waits for it.
            notice = Notice("ReconcileError", plain(str(error)[:1000]), NoticeKind.WARNING)
            self._announcer.announce(_regarding(self._store.rollouts.get(view.key) or view), notice)
        return Outcome.POSTPONED

    def _announce(self, view: RolloutView, decision: Decision) -> None:
        for notice in decision.notices:
            self._announcer.announce(_regarding(view), notice)


def is_same(known: RolloutView, decided_on: RolloutView) -> bool:
    """Whether nothing has changed that a decision reads: only headgate, or nobody, has written since."""
    return (known.generation, known.annotations, known.status, known.deleting) == (
        decided_on.generation,
        decided_on.annotations,
        decided_on.status,
        decided_on.deleting,
    )


def _forget_deliveries(seen: Observation, case: Case) -> None:
    """Nothing was delivered after all: what was to be put right still is to be, and at once."""
    before = seen.memory
    case.memory = replace(case.memory, drift=before.drift, tried=before.tried, shown=before.shown)


def _longest_pause(error: Exception) -> timedelta:
    """What is not answered may be answered any moment; what is refused waits for a person."""
    return _LONGEST_UNANSWERED if isinstance(error, Unavailable) else LONGEST_PAUSE


def _regarding(view: RolloutView) -> Regarding:
    return Regarding(ROLLOUT, view.namespace, view.name, view.uid)


def _rejected(status: RolloutStatus) -> bool:
    attempt = status.attempt
    return attempt is not None and any(known.attempt == attempt.number for known in status.rejected)


def _ends(before: RolloutStatus, after: RolloutStatus) -> bool:
    """Whether an attempt that was in flight is over now."""
    flying = before.attempt is not None and before.attempt.state is not AttemptState.ENDED
    return flying and after.attempt is not None and after.attempt.state is AttemptState.ENDED


def _begins_way_back(seen: Observation, decision: Decision) -> bool:
    before, after = seen.rollout.status.attempt, decision.status.attempt
    rolling = AttemptState.ROLLING_BACK
    return after is not None and after.state is rolling and (before is None or before.state is not rolling)
