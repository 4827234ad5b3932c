"""Reads everything that a backup holds from a cluster, in an order that makes it safe. Writes nothing."""

from collections.abc import Sequence

from headgate.api.conditions import rfc3339
from headgate.cli.backup.archive import Archive, Saved, saved
from headgate.cluster.client import Client
from headgate.cluster.metadata import identity
from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    PROMPT_VERSION,
    QUALITY_GATE,
    ROLLOUT,
    WATCH_LABEL,
    Json,
    Kind,
    NotFound,
)
from headgate.cluster.views import rollout_view
from headgate.controller import clock
from headgate.engine.observation import Key, RolloutView

_ROLLOUT_LABEL = "headgate.dev/rollout"
_CONFIG_MAPS = (_ROLLOUT_LABEL, "app.kubernetes.io/managed-by=headgate", f"{WATCH_LABEL}=true")


class Collecting:
    """One namespace, or for None all of them."""

    def __init__(self, client: Client, namespace: str | None) -> None:
        self._client = client
        self._namespace = namespace

    async def archive(self) -> Archive:
        """The backup. Raises ClusterError."""
        # Records are read before the statuses: one that is older than its status restores no lesser rejection,
        # while one that is newer would give a rejected version back to a status that does not know of it yet.
        found = await self._labelled(CONFIG_MAP, *_CONFIG_MAPS)
        rollouts = await self._labelled(ROLLOUT, "")
        views = [view for raw in rollouts.values() if (view := rollout_view(raw)) is not None]
        # A manifest is written before the status that names it.
        await self._add_manifests(found, views)
        snapshots = await self._labelled(CONTROLLER_REVISION, _ROLLOUT_LABEL)
        versions = await self._labelled(PROMPT_VERSION, "")
        gates = await self._labelled(QUALITY_GATE, "")
        return Archive(
            taken_at=rfc3339(clock.now()),
            active=[_active(view) for view in views],
            objects=[
                *_all(CONFIG_MAP, found),
                *_all(CONTROLLER_REVISION, snapshots),
                *_all(PROMPT_VERSION, versions),
                *_all(QUALITY_GATE, gates),
                *_all(ROLLOUT, rollouts),
            ],
        )

    async def _labelled(self, kind: Kind, *selectors: str) -> dict[Key, Json]:
        found: dict[Key, Json] = {}
        for selector in selectors:
            async for page in self._client.pages(kind, self._namespace, selector):
                for raw in page.items:
                    who = identity(raw)
                    # What is being deleted is not brought back.
                    if who is not None and not who.deleting:
                        found[who.key] = raw
        return found

    async def _add_manifests(self, found: dict[Key, Json], views: Sequence[RolloutView]) -> None:
        for view in views:
            attempt = view.status.attempt
            if attempt is None or attempt.manifest is None:
                continue
            key = Key(view.namespace, attempt.manifest)
            if key not in found:
                try:
                    found[key] = await self._client.get(CONFIG_MAP, key.namespace, key.name)
                except NotFound:
                    continue


def _all(kind: Kind, found: dict[Key, Json]) -> list[Saved]:
    return [saved(kind, raw) for _, raw in sorted(found.items(), key=lambda item: (item[0].namespace, item[0].name))]


def _active(view: RolloutView) -> Json:
    status = view.status
    stable, attempt = status.stable, status.attempt
    candidate = attempt.candidate if attempt is not None and attempt.outcome is None else None
    return {
        "namespace": view.namespace,
        "rollout": view.name,
        "stable": f"{stable.version}@{stable.digest}" if stable is not None else None,
        "candidate": f"{candidate.version}@{candidate.digest}" if candidate is not None else None,
        "weight": status.weight,
        "revision": status.revision,
    }
