"""The records that a backup lacks, made from the statuses that it holds. Knows no cluster.

A Rollout that was created while the backup was taken, say, has a status in it and no record. Without one an operator
that looks between the restore of the Rollout and that of its status would take for a first version what was rejected.
"""

from collections.abc import Sequence
from dataclasses import replace

from headgate.cli.backup.archive import Archive, Saved, saved
from headgate.cluster import shape
from headgate.cluster.objects import CONFIG_MAP, ROLLOUT
from headgate.cluster.snapshots import record_document
from headgate.cluster.views import rollout_view
from headgate.engine.ending import recorded
from headgate.engine.observation import RolloutView


def unrecorded(archive: Archive) -> Sequence[RolloutView]:
    """The Rollouts with a stable version whose record is missing."""
    config_maps = {(each.namespace, each.name) for each in archive.objects if each.kind == CONFIG_MAP}
    views = (rollout_view(each.content) for each in archive.objects if each.kind == ROLLOUT)
    return [
        view
        for view in views
        if view is not None
        and view.status.stable is not None
        and (view.namespace, f"{view.name}-record") not in config_maps
    ]


def with_records(archive: Archive) -> Archive:
    """The backup with a record for each Rollout that has a stable version; always the same for the same backup."""
    return replace(archive, objects=[*archive.objects, *map(_made, unrecorded(archive))])


def _made(view: RolloutView) -> Saved:
    account = view.spec.service_account_name if view.spec is not None else None
    document = record_document(view.key, recorded(view.status, account, None))
    metadata = {**shape.mapping(document["metadata"]), "namespace": view.namespace}
    return saved(CONFIG_MAP, {**document, "metadata": metadata})
