"""One look at one Rollout: observe, decide, carry out, until nothing is left to do. The line of the house."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from headgate.cluster.objects import ClusterError, NotFound
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller import clock
from headgate.controller.aftermath import Aftermath
from headgate.controller.carrying_out import CarryingOut, Outcome, is_same
from headgate.controller.case import Case, Departed
from headgate.controller.measuring import Measuring
from headgate.controller.metrics import Metrics
from headgate.controller.observing import Observing
from headgate.engine.alert_note import AlertNote
from headgate.engine.decide import decide
from headgate.engine.decision import Decision
from headgate.engine.observation import Key, Observation, RolloutView
from headgate.engine.routing import target_id

_MOST_ROUNDS = 16
_FIRST_RETRY = 0.1
_LONGEST_RETRY = 10.0
_RESTLESS = timedelta(seconds=2)
_STUCK = timedelta(seconds=15)
_PATIENCE = timedelta(seconds=10)
"""How long the rest of a way back lets others through at most."""
_YOUNGEST = datetime.max.replace(tzinfo=UTC)
"""Of two that claim a router the older has it: one that gives way comes after everybody."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rest:
    """Nothing is left to do before ``due``; None: before something changes."""

    due: datetime | None


class Reconcile:
    """Holds what is remembered of each Rollout, and looks when it is told to."""

    def __init__(
        self,
        *,
        store: Store,
        snapshots: Snapshots,
        observing: Observing,
        carrying_out: CarryingOut,
        measuring: Measuring,
        aftermath: Aftermath,
        metrics: Metrics,
        now: Callable[[], datetime],
        poke_last: Callable[[Key], None],
    ) -> None:
        """``poke_last`` asks for a look when nobody else waits for one."""
        self._store = store
        self._snapshots = snapshots
        self._observing = observing
        self._carrying_out = carrying_out
        self._measuring = measuring
        self._aftermath = aftermath
        self._metrics = metrics
        self._now = now
        self._poke_last = poke_last
        self._cases: dict[Key, Case] = {}
        self._departed: dict[Key, Departed] = {}

    def depart(self, view: RolloutView) -> None:
        """A Rollout is gone: the next look puts its routers at stable."""
        case = self._cases.pop(view.key, None) or Case(view.uid)
        case.close()
        case.went_well()
        self._departed[view.key] = Departed(replace(view, deleting=True), case)

    def heed(self, about: RolloutView, note: AlertNote) -> None:
        """An alert takes that Rollout's attempt back and cannot be stored: the next look knows of it all the same."""
        view = self._store.rollouts.get(about.key)
        if view is not None and view.uid == about.uid:
            self._case(view).unstored_alert = note

    async def look(self, key: Key) -> datetime | None:
        """One look; when to look again at the latest."""
        started = clock.monotonic()
        try:
            departed, left = self._departed.get(key), None
            if departed is not None:
                left = await self._rounds(key, departed.case, lambda: departed.view)
                if left is None:
                    self._forget(key, departed)
                elif not self._gives_way(departed):
                    return left
            view = self._store.rollouts.get(key)
            if view is None:
                return left
            due = await self._rounds(key, self._case(view), lambda: self._store.rollouts.get(key))
            return min((moment for moment in (left, due) if moment is not None), default=None)
        finally:
            self._metrics.reconciled(clock.monotonic() - started)

    async def _rounds(self, key: Key, case: Case, current: Callable[[], RolloutView | None]) -> datetime | None:
        for _ in range(_MOST_ROUNDS):
            view = current()
            if view is None or view.uid != case.uid:
                # Another of that name came meanwhile: it is looked at in a look of its own.
                return self._now() if view is not None else None
            try:
                rest = await self._round(view, case)
            except NotFound:
                return self._gone(view)
            except ClusterError as error:
                self._carrying_out.postponed(view, case, error)
                case.went_badly(self._now())
                return self._retry(case)
            if rest is not None:
                return rest.due
        _log.warning("%s: does not come to rest", key)
        return self._now() + _RESTLESS

    async def _round(self, view: RolloutView, case: Case) -> _Rest | None:
        """Decides once and carries it out; None when there may be more to do at once. Raises ClusterError."""
        seen, decision = await self._decide(view, case)
        if case.unfinished is None:
            case.memory = decision.memory
        self._aftermath.keep_up(view.key, case, decision.hooks)
        if _is_quiet(decision):
            return _Rest(self._come_to_rest(view.key, case, seen, decision))
        outcome = await self._carrying_out.carry_out(seen, decision, case)
        match outcome:
            case Outcome.DONE | Outcome.STUCK:
                case.went_well()
                case.drop_measurement()
                return self._pause(view.key, outcome, decision)
            case Outcome.OVERTAKEN | Outcome.UNRESTORED:
                return None
            case Outcome.POSTPONED:
                case.went_badly(self._now())
                if decision.questions:
                    # What cannot be written keeps nobody from being judged.
                    self._measuring.begin(view.key, case, decision.questions)
                # A way back is tried again as soon as ever; everything else waits for as long as it is told to.
                return _Rest(self._retry(case, at_least=0.0 if decision.urgent else case.told_to_wait))
            case Outcome.GONE:
                return _Rest(self._gone(view))

    def _pause(self, key: Key, outcome: Outcome, decision: Decision) -> _Rest | None:
        """Whether others are let through after a decision that was carried out."""
        if decision.urgent and decision.commit:
            # Everybody is at stable; the rest of this way back waits until all others have come that far.
            self._poke_last(key)
            return _Rest(self._now() + _PATIENCE)
        if outcome is Outcome.STUCK and not decision.commit:
            soon = self._now() + _STUCK
            return _Rest(min(decision.due or soon, soon))
        return None

    async def _decide(self, view: RolloutView, case: Case) -> tuple[Observation, Decision]:
        if case.unfinished is not None and is_same(view, case.unfinished[0].rollout):
            return case.unfinished
        case.unfinished = None
        seen = await self._observing.observe(view, case)
        decision = decide(seen, self._now())
        if decision.reread:
            case.memory = decision.memory
            seen = await self._observing.observe_anew(view, case)
            decision = decide(seen, self._now())
        return seen, decision

    def _come_to_rest(self, key: Key, case: Case, seen: Observation, decision: Decision) -> datetime | None:
        case.look = None
        if decision.questions and seen.look is not None:
            # Another gate fell due while one was measured, or this one again before anything could be carried out.
            return self._now()
        if decision.questions:
            self._measuring.begin(key, case, decision.questions)
        else:
            case.went_well()
            case.drop_measurement()
        return decision.due

    def _case(self, view: RolloutView) -> Case:
        case = self._cases.get(view.key)
        if case is None or case.uid != view.uid:
            if case is not None:
                case.close()
            case = self._cases[view.key] = Case(view.uid)
            self._metrics.committed(view.key, view.status, view.status)
        return case

    def _gone(self, view: RolloutView) -> datetime | None:
        """The API server has no such Rollout; its DELETED event, or the resync, brings the rest."""
        known = self._store.lost_rollout(view.key, int(view.resource_version))
        if known is not None:
            self.depart(known)
            return self._now()
        return None

    def _gives_way(self, departed: Departed) -> bool:
        """Whether the next Rollout of that name goes on: all is on record, and only routers or the target are left.

        That one knows from the record what was stable, and has rights of its own. What both name is its from now on.
        """
        view, case, heir = departed.view, departed.case, self._store.rollouts.get(departed.view.key)
        if heir is None or not (case.is_stuck or case.memory.recorded is not None):
            return False
        if view.status.attempt is not None and _releases_the_same(heir, view):
            case.memory = replace(case.memory, restored=view.status.attempt.number)
        departed.view = replace(view, created_at=_YOUNGEST)
        return True

    def _forget(self, key: Key, departed: Departed) -> None:
        if self._departed.get(key) is departed:
            del self._departed[key]
        if self._store.rollouts.get(key) is None:
            self._metrics.forget(key)
            self._snapshots.forget(key)

    def _retry(self, case: Case, at_least: float = 0.0) -> datetime:
        seconds = max(_FIRST_RETRY * 2 ** min(case.failures, 10), at_least)
        return self._now() + timedelta(seconds=min(seconds, _LONGEST_RETRY))


def _releases_the_same(heir: RolloutView, departed: RolloutView) -> bool:
    """Whether the object that is still to be put back is the heir's by now, as far as its spec can be read."""
    mine, stable = heir.spec.target if heir.spec is not None else None, departed.status.stable
    theirs = stable.target if stable is not None else None
    return mine is not None and theirs is not None and target_id(mine) == target_id(theirs)


def _is_quiet(decision: Decision) -> bool:
    """Whether nothing is written and nobody is told anything."""
    writes = decision.commit or decision.deliver or decision.record or decision.restore or decision.manifest
    return not (writes or decision.notices)
