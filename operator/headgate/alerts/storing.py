"""Puts alerts on Rollouts, as annotations under the resourceVersion that was matched. Only then are they received."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from headgate.alerts.matching import Bearing, matched
from headgate.alerts.payload import Alert
from headgate.api.rollout import AlertAction
from headgate.cluster.objects import ROLLOUT, ClusterError, Conflict, Json, NotFound, Objects
from headgate.cluster.store import Store
from headgate.engine.alert_note import ALERT, AlertNote, severity
from headgate.engine.observation import Key, RolloutView

_TRIES = 5
_AT_ONCE = 16
_MOST_REREAD = 100
_log = logging.getLogger(__name__)


Stored = Callable[[Key, AlertNote], None]
"""Is told of a note that was written on a Rollout."""


Unstored = Callable[[RolloutView, AlertNote], None]
"""Is told of a note that takes an attempt of that Rollout back and that could not be written."""


class NotStored(Exception):
    """An alert could not be put where it belongs; Alertmanager must send it again. The text says why."""


class Storing:
    """The one write of this room."""

    def __init__(self, store: Store, objects: Objects, poke: Callable[[Key], None], unstored: Unstored) -> None:
        """``poke`` asks for a look at a Rollout."""
        self._store = store
        self._objects = objects
        self._poke = poke
        self._unstored = unstored
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def store(
        self, notes: Sequence[tuple[RolloutView, AlertNote]], firing: Sequence[Alert], stored: Stored
    ) -> int:
        """Stores each note on its Rollout, the most severe first; how many were written. Raises NotStored.

        ``stored`` is told of each as soon as it is written, before anybody is asked to look at the Rollout.
        """
        ordered = sorted(notes, key=lambda each: -severity(each[1].action))
        answers = await asyncio.gather(*(self._one(view, note, firing, stored) for view, note in ordered))
        failed = [answer for answer in answers if isinstance(answer, str)]
        if failed:
            raise NotStored(f"{len(failed)} of {len(notes)} Rollouts: {failed[0]}")
        return sum(answer is True for answer in answers)

    async def reread(self, keys: Collection[Key]) -> None:
        """Reads those Rollouts from the API server. Raises NotStored when they are many, or when it does not answer."""
        if len(keys) > _MOST_REREAD:
            raise NotStored(
                f"{len(keys)} Rollouts are to be read anew, which a replica that has led for a while need not"
            )
        answers = await asyncio.gather(*map(self._reread_one, keys), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, ClusterError):
                raise NotStored(str(answer)) from answer
            if isinstance(answer, BaseException):
                raise answer

    async def _reread_one(self, key: Key) -> None:
        async with self._turns:
            try:
                self._store.saw_rollout(await self._objects.get(ROLLOUT, key.namespace, key.name))
            except NotFound:
                return  # the watch will say so

    async def _one(self, view: RolloutView, note: AlertNote, firing: Sequence[Alert], stored: Stored) -> bool | str:
        """Whether it was written, or why it could not be; False when it is needless by now."""
        written: bool | str = "the post was given up"
        try:
            async with self._turns:
                written = await self._write(view, note, firing, stored)
        except NotFound:
            written = False
        except ClusterError as error:
            written = str(error)
        finally:
            if isinstance(written, str) and note.action is AlertAction.ROLLBACK:
                # A way back waits for no write, were it without an answer for longer than a post lasts; Alertmanager
                # is asked to send again, since a restart would forget it.
                self._unstored(view, note)
                self._poke(view.key)
        return written

    async def _write(self, view: RolloutView, note: AlertNote, firing: Sequence[Alert], stored: Stored) -> bool | str:
        for _ in range(_TRIES):
            change: Json = {"metadata": {"annotations": {ALERT: note.written()}}}
            try:
                raw = await self._objects.merge_patch(
                    ROLLOUT, view.namespace, view.name, change, resource_version=view.resource_version
                )
            except Conflict:
                newer = self._store.saw_rollout(await self._objects.get(ROLLOUT, view.namespace, view.name))
                again = matched([newer] if newer is not None else [], firing)
                if again.bearings[Bearing.BUSY]:
                    return f"Rollout {view.key}: another alert waits to be acted upon"
                if again.bearings[Bearing.UNREADABLE]:
                    return f"Rollout {view.key}: it cannot be read"
                if view.key not in again.notes:
                    self._poke(view.key)
                    return False
                view, note = again.notes[view.key]
            else:
                stored(view.key, note)
                self._store.saw_rollout(raw)
                _log.info("alert stored: %s", note.text, extra={"object": str(view.key), "action": note.action.value})
                return True
        return f"Rollout {view.key}: somebody else writes it all the time"
