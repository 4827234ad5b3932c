"""Builds one Rollout's observation from what is known, and reads anew what decide() asks for. Decides nothing."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from headgate.api.rollout import Delivery
from headgate.api.rollout_status import AttemptState, RolloutStatus
from headgate.cluster.objects import ROLLOUT, ClusterError, NotFound, Objects, Refused
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller.case import Case
from headgate.controller.marked import marked_by
from headgate.delivery.router import Router, routers
from headgate.engine.authority import names_nobody, says_account, written_last_by
from headgate.engine.desired import desired, is_frozen
from headgate.engine.observation import Key, Observation, RolloutView, TargetView, VersionView
from headgate.engine.plan import Plan, Record

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class Observing:
    """What decide() is shown."""

    def __init__(
        self,
        store: Store,
        objects: Objects,
        snapshots: Snapshots,
        hook_problems: Callable[[RolloutView], Mapping[str, str]] = lambda _view: {},
        *,
        account_required: bool = False,
    ) -> None:
        """``hook_problems`` tells, by name, why hooks of a Rollout's spec cannot be run.

        ``account_required``: whether every Rollout must name a ServiceAccount.
        """
        self._hook_problems = hook_problems
        self._store = store
        self._objects = objects
        self._snapshots = snapshots
        self._account_required = account_required

    async def observe(self, view: RolloutView, case: Case) -> Observation:
        """From what is known; asks the API server for a manifest that was never read. Raises Unavailable then."""
        return self._observation(view, case, await self._plan(view, case))

    async def observe_anew(self, view: RolloutView, case: Case) -> Observation:
        """The Rollout, its record and its routers are read from the API server. Raises ClusterError."""
        if not view.deleting:
            raw = await self._objects.get(ROLLOUT, view.namespace, view.name)
            view = self._store.saw_rollout(raw, poke=False) or view
        record = await _granted(view, self._snapshots.record(view.key))
        plan = await self._plan(view, case)
        versions = self._versions(view, self._store.target_of(view))
        _, routes = desired(view, plan, versions)
        for router in self.routers(view, routes).values():
            await _granted(view, router.refresh())
        return self._observation(view, case, plan, record, fresh=True)

    async def reread(self, key: Key) -> RolloutView | None:
        """The Rollout as it is now, after somebody else wrote it; None when it is gone. Raises ClusterError."""
        try:
            raw = await self._objects.get(ROLLOUT, key.namespace, key.name)
        except NotFound:
            return None
        return self._store.saw_rollout(raw, poke=False)

    def routers(
        self, view: RolloutView, routes: tuple[Delivery, ...], writer: Objects | None = None
    ) -> dict[str, Router]:
        """The routers behind those deliveries, written by ``writer``; to be looked at only, when none is given.

        For a Rollout that must name an account and names none, nothing is made: marks that somebody forged would say
        what. An attempt of its own, which the status knows, is taken back whole all the same.
        """
        return routers(
            view.namespace,
            routes,
            writer if writer is not None else self._objects,
            self._store.documents,
            partial(self._store.holds, view),
            self._store.targets.kind_of,
            only_lowers=writer is not None and self._only_lowers(view),
        )

    def _only_lowers(self, view: RolloutView) -> bool:
        return names_nobody(view.spec, required=self._account_required) and not _is_under_way(view.status)

    def _versions(self, view: RolloutView, target: TargetView | None) -> Mapping[str, VersionView]:
        """The versions that the Rollout speaks of: PromptVersions, or the one that its target holds."""
        if target is None:
            return self._store.versions_of(view)
        return {known.name: known for known in (target.version, target.rebased) if known is not None}

    def _observation(
        self, view: RolloutView, case: Case, plan: Plan | None, record: Record | None = None, *, fresh: bool = False
    ) -> Observation:
        target = self._store.target_of(view)
        versions = self._versions(view, target)
        if not is_frozen(view.status.attempt):
            self._store.bind(view, ())
        elif plan is not None:
            self._store.bind(view, tuple(plan.delivery))
        else:
            view = replace(view, marked=marked_by(self._store, view))
            self._store.bind(view, view.marked or ())
        routing, routes = desired(view, plan, versions)
        states = {}
        if routing is not None:
            states = {name: router.observe(routing) for name, router in self.routers(view, routes).items()}
        return Observation(
            rollout=view,
            versions=versions,
            gates=self._store.gates_of(view),
            target=target,
            plan=plan,
            record=record,
            fresh=fresh,
            routers=states,
            look=case.look,
            unstored_alert=case.unstored_alert,
            account_required=self._account_required,
            claimed_by=self._store.claimed_by(view, routes),
            hook_results=dict(case.hook_results),
            hook_problems=self._hook_problems(view),
            memory=case.memory,
        )

    async def _plan(self, view: RolloutView, case: Case) -> Plan | None:
        """The manifest; as whom was written last stands in it where the spec does not say so."""
        plan = await self._manifest(view)
        if plan is None or says_account(view.spec, required=self._account_required):
            case.account = None
            return plan
        if case.account is None or case.account[0] != plan.attempt:
            try:
                record = await self._snapshots.record(view.key)
            except ClusterError as error:
                # A way back waits for no record: what the manifest says is the next best.
                _log.warning("%s: %s", view.key, error)
                return plan
            case.account = plan.attempt, written_last_by(plan, record)
        return plan.model_copy(update={"service_account_name": case.account[1]})

    async def _manifest(self, view: RolloutView) -> Plan | None:
        attempt = view.status.attempt
        if attempt is None or attempt.manifest is None:
            return None
        if not _is_under_way(view.status):
            return self._snapshots.known_plan(view.namespace, attempt.manifest)
        try:
            return await self._snapshots.plan(view.namespace, attempt.manifest)
        except Refused as error:
            _log.warning("%s: %s", view.key, error)
            return None


async def _granted(view: RolloutView, asked: Awaitable[_Answer]) -> _Answer | None:
    """The answer; None where it is refused to a Rollout that is gone, since its way back waits for nobody's leave."""
    try:
        return await asked
    except Refused as error:
        if not view.deleting:
            raise
        _log.warning("%s: %s", view.key, error)
        return None


def _is_under_way(status: RolloutStatus) -> bool:
    return status.attempt is not None and status.attempt.state is not AttemptState.ENDED
