"""Puts the last good version back into a Rollout's spec, and leaves the spec to its owners. Knows no decision."""

from headgate.api.rollout_status import AttemptState
from headgate.cluster import shape
from headgate.cluster.objects import ROLLOUT, Conflict, Json, JsonValue, NotFound, Objects
from headgate.cluster.store import Store
from headgate.controller.ownership import give_up
from headgate.engine.decision import SpecRestore
from headgate.engine.observation import RolloutView

_TRIES = 4


class Restoring:
    """Writes exactly spec.prompt.version, and its family where that is another, while they are what was rejected."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    async def restore(self, view: RolloutView, wanted: SpecRestore) -> bool:
        """Whether the spec was written; it is left alone when it holds something else by now. Raises ClusterError."""
        held: dict[tuple[str, ...], JsonValue] = {
            ("metadata", "uid"): view.uid,
            # A restore that was long on its way must not undo what people have asked for since.
            ("status", "attempt", "number"): wanted.attempt,
            ("status", "attempt", "state"): AttemptState.ROLLING_BACK.value,
            ("spec", "prompt", "version"): wanted.rejected,
        }
        restored: dict[str, JsonValue] = {"/spec/prompt/version": wanted.restored}
        if wanted.family is not None:
            held["spec", "prompt", "family"] = wanted.family.rejected
            restored["/spec/prompt/family"] = wanted.family.restored
        operations: list[dict[str, JsonValue]] = [
            *({"op": "test", "path": shape.pointer(*path), "value": value} for path, value in held.items()),
            *({"op": "replace", "path": path, "value": value} for path, value in restored.items()),
        ]
        for _ in range(_TRIES):
            try:
                raw = await self._objects.json_patch(ROLLOUT, view.namespace, view.name, operations)
            except NotFound:
                return False
            except Conflict:
                # A test that failed, or a server too busy with other writes of this object to make one more.
                raw = await self._objects.get(ROLLOUT, view.namespace, view.name)
                if all(shape.at(raw, *path) == value for path, value in held.items()):
                    continue
                self._store.saw_rollout(raw, poke=False)
                await self._release(view, raw)
                return False
            self._store.saw_rollout(raw, poke=False)
            await self._release(view, raw)
            return True
        raise Conflict(f"Rollout {view.key}: its spec is written by others all the time; the restore is tried again")

    async def release(self, view: RolloutView) -> None:
        """Sees to it that headgate owns no field of the spec, so that the next server-side apply needs no force."""
        try:
            raw = await self._objects.get(ROLLOUT, view.namespace, view.name)
        except NotFound:
            return
        self._store.saw_rollout(raw, poke=False)
        await self._release(view, raw)

    async def _release(self, view: RolloutView, raw: Json) -> None:
        after = await give_up(ROLLOUT, view.namespace, raw, self._objects, self._objects)
        if after is not None:
            self._store.saw_rollout(after, poke=False)
