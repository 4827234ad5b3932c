"""Puts the last good version back into a Rollout's spec, and leaves the spec to its owners. Knows no decision."""

from headgate.cluster.objects import ROLLOUT, Conflict, Json, JsonValue, NotFound, Objects
from headgate.cluster.store import Store
from headgate.controller.ownership import giving_up
from headgate.engine.decision import SpecRestore
from headgate.engine.observation import RolloutView

_TRIES = 4


class Restoring:
    """Writes exactly spec.prompt.version, and only while it still holds the rejected value."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    async def restore(self, view: RolloutView, wanted: SpecRestore) -> bool:
        """Whether the spec was written; it is left alone when it holds something else by now. Raises ClusterError."""
        operations: list[dict[str, JsonValue]] = [
            {"op": "test", "path": "/metadata/uid", "value": view.uid},
            {"op": "test", "path": "/spec/prompt/version", "value": wanted.rejected},
            {"op": "replace", "path": "/spec/prompt/version", "value": wanted.restored},
        ]
        try:
            raw = await self._objects.json_patch(ROLLOUT, view.namespace, view.name, operations)
        except (Conflict, NotFound):
            await self.release(view)
            return False
        self._store.saw_rollout(raw, poke=False)
        await self._release(view, raw)
        return True

    async def release(self, view: RolloutView) -> None:
        """Sees to it that headgate owns no field of the spec, so that the next server-side apply needs no force."""
        try:
            raw = await self._objects.get(ROLLOUT, view.namespace, view.name)
        except NotFound:
            return
        self._store.saw_rollout(raw, poke=False)
        await self._release(view, raw)

    async def _release(self, view: RolloutView, raw: Json) -> None:
        for _ in range(_TRIES):
            operations = giving_up(raw)
            if not operations:
                return
            try:
                after = await self._objects.json_patch(ROLLOUT, view.namespace, view.name, operations)
            except Conflict:
                raw = await self._objects.get(ROLLOUT, view.namespace, view.name)
            except NotFound:
                return
            else:
                self._store.saw_rollout(after, poke=False)
                return
        raise Conflict(f"Rollout {view.key}: headgate's entry in managedFields could not be dropped; it is tried again")
