"""From a post that may be trusted to alerts that are stored. Knows no HTTP and decides nothing about attempts."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from headgate.alerts.matching import Bearing, Matched, is_bound, matched
from headgate.alerts.payload import Alert, Post
from headgate.alerts.storing import NotStored, Storing, Unstored
from headgate.api.rollout import AlertAction
from headgate.cluster.objects import Objects
from headgate.cluster.store import Store
from headgate.engine.alert_note import AlertNote
from headgate.engine.observation import Key, RolloutView

_FEW = 10_000
"""Alerts times Rollouts that are matched so fast that nobody waits for it."""


class Witness(Protocol):
    """Who counts alerts."""

    def alert_post(self, outcome: str) -> None:
        """A post ended so."""
        ...

    def alerts(self, outcome: str, count: int) -> None:
        """So many alerts, each for one Rollout, turned out so."""
        ...

    def alert_stored(self, rollout: Key, attempt: int, received: float) -> None:
        """An alert that takes that attempt back was stored; it was received at that monotonic time."""
        ...


class Receiving:
    """Matches and stores."""

    def __init__(
        self,
        store: Store,
        objects: Objects,
        poke: Callable[[Key], None],
        witness: Witness,
        *,
        unstored: Unstored = lambda _view, _note: None,
        leads: Callable[[], bool] = lambda: True,
        knows: Callable[[], bool] = lambda: True,
    ) -> None:
        """``poke`` asks for a look at a Rollout; ``leads`` says whether attempts begin in this replica.

        ``unstored`` is told of what takes an attempt back and cannot be stored.
        ``knows`` says whether it has led for so long that no attempt that another one began can be unknown here.
        """
        self._store = store
        self._poke = poke
        self._witness = witness
        self._leads = leads
        self._knows = knows
        # Not one of the loop's own threads: a look-up of a name may hold those for long.
        self._matching = ThreadPoolExecutor(1, thread_name_prefix="alerts")
        self._storing = Storing(store, objects, poke, unstored)

    async def receive(self, post: Post, namespaces: frozenset[str], received: float) -> None:
        """Returns when every alert that matters is stored. Raises NotStored."""
        firing = [alert for alert in post.alerts if alert.is_firing]

        def stored(key: Key, note: AlertNote) -> None:
            # Where it stands by, the revert is never seen to end.
            if note.action is AlertAction.ROLLBACK and self._leads():
                self._witness.alert_stored(key, note.attempt, received)

        views, found = await self._matched(firing, namespaces)
        unwritten = found.passed_by | found.known
        if unwritten and not self._knows():
            # An attempt that another one began may not be known here: the watch is late, or silent, or a list was old.
            # What is stored may then be of the attempt before. A write would find that out by itself.
            await self._look_again(unwritten, self._storing.store(list(found.notes.values()), firing, stored))
            views, found = await self._matched(firing, namespaces)
        self._count(post, firing=len(firing), found=found)
        for key in found.known:
            self._poke(key)
        if post.truncated_alerts:
            # Nobody knows which alerts are missing, so that everybody is looked at again.
            for view in views:
                self._poke(view.key)

        await self._storing.store(list(found.notes.values()), firing, stored)
        if found.bearings[Bearing.BUSY]:
            raise NotStored("another alert waits to be acted upon")
        if found.bearings[Bearing.UNREADABLE]:
            raise NotStored("a Rollout that it may be for cannot be read; see its Stalled condition")
        if post.truncated_alerts and views and not self._leads():
            raise NotStored("alerts were left out of the post, and only the replica that leads looks at Rollouts again")

    async def _look_again(self, unwritten: Collection[Key], storing: Awaitable[int]) -> None:
        """Reads those Rollouts; what is known to be about somebody is stored meanwhile, and waits for none of them."""
        reread, _ = await asyncio.gather(self._storing.reread(unwritten), storing, return_exceptions=True)
        if reread is not None:
            raise reread

    def close(self) -> None:
        """Matches no large post any more."""
        self._matching.shutdown(wait=False, cancel_futures=True)

    async def _matched(
        self, firing: Sequence[Alert], namespaces: frozenset[str]
    ) -> tuple[Sequence[RolloutView], Matched]:
        views = [view for _, view in self._store.rollouts if view.namespace in namespaces and is_bound(view)]
        if len(views) * len(firing) <= _FEW:
            return views, matched(views, firing)
        return views, await asyncio.get_running_loop().run_in_executor(self._matching, matched, views, firing)

    def _count(self, post: Post, *, firing: int, found: Matched) -> None:
        for bearing, count in found.bearings.items():
            self._witness.alerts(bearing.value, count)
        if resolved := len(post.alerts) - firing:
            self._witness.alerts("Resolved", resolved)
