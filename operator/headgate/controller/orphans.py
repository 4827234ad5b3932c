"""Routers that name a Rollout which is gone or has others: nobody would ever take them back, so they go to stable.

Whoever may write such an object may write there the name of a Rollout that never was. So nothing but the marked object
itself is written, and only to take exposure back: nothing is made, and a route's backends are not told what to run, for
nobody is served by the idle one then. That needs no account: it waits for nobody's rights where none is on record.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress

from headgate.cluster.objects import (
    ROLLOUT,
    ClusterError,
    Json,
    Kind,
    NotFound,
    Objects,
    Refused,
)
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.controller.marked import carriers
from headgate.controller.speaking import Speaking
from headgate.delivery.claims import Claim, claims
from headgate.delivery.refusals import Fenced, Unusable
from headgate.delivery.router import routers
from headgate.engine.observation import Key
from headgate.engine.plan import Record
from headgate.engine.routing import ArmVersion

_log = logging.getLogger(__name__)


class Orphans:
    """Looks through everything that routers live in; run when complete lists are in."""

    def __init__(self, store: Store, objects: Objects, speaking: Speaking, snapshots: Snapshots) -> None:
        """``objects`` are read as headgate itself; the routers are written as ``speaking`` says."""
        self._store = store
        self._objects = objects
        self._speaking = speaking
        self._snapshots = snapshots

    async def put_at_stable(self) -> None:
        """Puts every router that exposes for a Rollout that is gone at stable; what fails waits for the next time."""
        for kind in carriers(self._store):
            for key, document in list(self._store.documents.shelf(kind)):
                try:
                    await self._look_at(kind, key, document)
                except Exception:  # noqa: BLE001 - what anybody wrote into one object must not end the operator
                    _log.exception("orphans: %s %s could not be looked at", kind.kind, key)

    async def _look_at(self, kind: Kind, key: Key, document: Json) -> None:
        for claim in self._left_behind(key.namespace, claims(kind, document)):
            try:
                if await self._is_still_there(kind, key, claim):
                    await self._end(key.namespace, claim)
            except (ClusterError, Fenced, Unusable) as error:
                _log.warning("orphan of Rollout %s/%s: %s", key.namespace, claim.rollout, error)

    def _left_behind(self, namespace: str, found: Sequence[Claim]) -> list[Claim]:
        """Of the claims in one object those that expose, on routers that nobody who has marks there answers for."""
        answered = {
            claim.router for claim in found if self._store.answers_for(Key(namespace, claim.rollout), claim.router)
        }
        return [claim for claim in found if claim.exposing and claim.router not in answered]

    async def _is_still_there(self, kind: Kind, key: Key, claim: Claim) -> bool:
        """Whether nobody answers for it indeed: a list may be older than its router. Raises ClusterError."""
        document = self._store.documents.seen(kind, key.namespace, key.name)
        found = claims(kind, document) if document is not None else ()
        for rollout in {each.rollout for each in found if each.router == claim.router}:
            with suppress(NotFound):
                self._store.saw_rollout(await self._objects.get(ROLLOUT, key.namespace, rollout))
        return claim in self._left_behind(key.namespace, found)

    async def _end(self, namespace: str, claim: Claim) -> None:
        routing = claim.at_rest(namespace, self._promoted(namespace, claim))
        kind_of = self._store.targets.kind_of
        writer = await self._writer(Key(namespace, claim.rollout))
        known = routers(
            namespace,
            [claim.delivery],
            writer,
            self._store.documents,
            lambda _router, _name, _uid, _exposes: False,
            kind_of,
            only_lowers=True,
        )
        for router in known.values():
            await router.apply(routing)
        _log.info(
            "orphan of Rollout %s/%s: put at stable %s",
            namespace,
            claim.rollout,
            routing.stable.version,
            extra={"reason": "OrphanPutAtStable", "object": f"{namespace}/{claim.rollout}"},
        )
        await self._raise_record(Key(namespace, claim.rollout), routing.revision)

    def _promoted(self, namespace: str, claim: Claim) -> ArmVersion | None:
        """What is stable for the very Rollout that left the marks, where it has only other routers by now."""
        view = self._store.rollouts.get(Key(namespace, claim.rollout))
        if view is None or view.uid != claim.uid or view.status.stable is None:
            return None
        return ArmVersion(view.status.stable.version, view.status.stable.digest)

    async def _writer(self, rollout: Key) -> Objects:
        """The account that the record names, as the Rollout itself did; headgate where there is no record to read."""
        try:
            record = await self._snapshots.record(rollout)
        except Refused as error:
            _log.warning("%s: %s", rollout, error)
            record = None
        account = record.service_account_name if record is not None else None
        return self._speaking.as_account(rollout.namespace, account).objects

    async def _raise_record(self, rollout: Key, revision: int) -> None:
        """A later Rollout of that name goes on from the revision that the routers carry now, if it was believed.

        One that is there by now has gone on already, and its record is its own.
        """
        if self._store.rollouts.get(rollout) is not None:
            return
        try:
            record = await self._snapshots.record(rollout)
        except Refused as error:
            _log.warning("%s: %s", rollout, error)
            return
        if record is not None and record.revision < revision:
            await self._snapshots.write_record(rollout, _raised(record, revision))


def _raised(record: Record, revision: int) -> Record:
    return record.model_copy(update={"revision": revision})
