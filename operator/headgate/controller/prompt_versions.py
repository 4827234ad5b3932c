"""The upkeep of a PromptVersion: its compiled, immutable ConfigMap, its digest, its stage. Decides no rollout."""

import json
from collections.abc import Callable
from datetime import datetime

from headgate.api.prompt_version import Compiled, PromptVersionSpec, PromptVersionStatus
from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, AlreadyExists, Json, NotFound, Objects, Refused
from headgate.cluster.store import Store
from headgate.cluster.views import COMPILED_SUFFIX, VersionEntry, refused
from headgate.controller.readiness import ready
from headgate.controller.stages import stage
from headgate.controller.status_writing import write_status
from headgate.engine.observation import Key

_DIGEST = "headgate.dev/digest"
_PROMPT_KEY = "prompt.json"
_LONGEST_NAME = 253 - len(COMPILED_SUFFIX)


class VersionUpkeep:
    """Compiles a version once and keeps its status true."""

    def __init__(self, store: Store, objects: Objects, now: Callable[[], datetime]) -> None:
        self._store = store
        self._objects = objects
        self._now = now

    async def look(self, key: Key) -> datetime | None:
        """One look at one version. Raises ClusterError when the API server did not answer."""
        entry = self._store.versions.get(key)
        if entry is None or entry.identity.deleting:
            return None
        problem = entry.view.error
        if entry.spec is not None:
            problem = await self._compile(key, entry.spec, entry.view.digest)
            if self._store.versions.get(key) is not entry:
                return None  # Newer news came meanwhile, and with it a poke.
            if problem != entry.view.error:
                entry = refused(entry, problem) if problem is not None else entry
                self._store.reread_version(key, entry)
        await self._write_status(key, entry, problem)
        return None

    async def _compile(self, key: Key, spec: PromptVersionSpec, digest: str) -> str | None:
        """Creates the ConfigMap; what stands in the way, in one line."""
        if len(key.name) > _LONGEST_NAME:
            return f"metadata.name: at most {_LONGEST_NAME} characters, so that {COMPILED_SUFFIX!r} can be added"
        name = f"{key.name}{COMPILED_SUFFIX}"
        try:
            await self._objects.create(CONFIG_MAP, key.namespace, compiled(key.name, name, spec, digest))
        except AlreadyExists:
            return await self._differs(key, name, digest)
        except Refused as error:
            return f"the compiled prompt was refused: {error}"
        return None

    async def _differs(self, key: Key, name: str, digest: str) -> str | None:
        try:
            there = await self._objects.get(CONFIG_MAP, key.namespace, name)
        except NotFound:
            return f"ConfigMap {name} was deleted while it was looked at; it is created at the next look"
        metadata = there.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        known = annotations.get(_DIGEST) if isinstance(annotations, dict) else None
        if known == digest and there.get("immutable") is True:
            return None
        return (
            f"ConfigMap {name} holds other content ({str(known)[:19]}), so this name was used before; "
            "give new content a new name, or delete that ConfigMap if no application reads it"
        )

    async def _write_status(self, key: Key, entry: VersionEntry, problem: str | None) -> None:
        view, generation = entry.view, entry.identity.generation
        wanted = PromptVersionStatus(
            observed_generation=generation,
            digest=view.digest or None,
            compiled=Compiled(config_map=f"{key.name}{COMPILED_SUFFIX}") if problem is None else None,
            stage=stage(key.name, view.digest, self._store.rollouts_with(key), entry.status.stage),
            conditions=ready(
                entry.status.conditions,
                now=self._now(),
                generation=generation,
                problem=problem,
                reason="InvalidVersion",
                message="compiled; Rollouts may name this version",
            ),
        )
        written = await write_status(self._objects, PROMPT_VERSION, entry.identity, entry.status, wanted)
        if written is not None:
            self._store.saw_version(written)


def compiled(version: str, name: str, spec: PromptVersionSpec, digest: str) -> Json:
    """The ConfigMap with the prompt as the application reads it: the spec as written, and what it is called."""
    content = {
        "version": version,
        "digest": digest,
        **spec.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/managed-by": "headgate"},
            "annotations": {_DIGEST: digest},
        },
        "immutable": True,
        "data": {_PROMPT_KEY: json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1)},
    }
