"""Whether what a backup holds fits together, beyond its checksums. Knows no cluster."""

from collections.abc import Iterator

from headgate.api.rollout_status import VersionRef
from headgate.cli.backup.archive import Archive
from headgate.cli.backup.records import unrecorded
from headgate.cluster.objects import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    PROMPT_VERSION,
    QUALITY_GATE,
    ROLLOUT,
    Kind,
    Refused,
)
from headgate.cluster.snapshots import snapshot_in
from headgate.cluster.target_snapshots import digest_in
from headgate.cluster.views import rollout_view, version_entry
from headgate.engine.observation import RolloutView

_Names = set[tuple[str, str]]


def damaged(archive: Archive) -> Iterator[str]:
    """What must not be restored, one line each: a record or manifest that is not what headgate wrote.

    Nor a status of which some cannot be read where there is no record to tell what was rejected.
    """
    for each in archive.objects:
        if each.kind == CONFIG_MAP:
            try:
                snapshot_in(each.content)
            except Refused as error:
                yield f"{each.namespace}: {error}"
    for view in unrecorded(archive):
        if view.unread:
            yield f"Rollout {view.key}: its record is missing, and its status cannot be read: {', '.join(view.unread)}"


def incomplete(archive: Archive) -> Iterator[str]:
    """What will hold a Rollout after a restore, and did so before, one line each."""
    for unkept in unrecorded(archive):
        yield f"Rollout {unkept.key}: its record is missing; one is made from its status"
    held = _held(archive)
    config_maps, gates = _names(archive, CONFIG_MAP), _names(archive, QUALITY_GATE)
    for each in archive.objects:
        view = rollout_view(each.content) if each.kind == ROLLOUT else None
        if view is None:
            continue
        where = f"Rollout {view.key}"
        if view.spec is None:
            yield f"{where}: {view.spec_error}"
        for role, kind, version in _versions(view):
            if (kind, view.namespace, version) not in held:
                yield f"{where}: its {role} {version.version} is not among the {kind}s with the content that it had"
        attempt = view.status.attempt
        if attempt is not None and attempt.manifest and (view.namespace, attempt.manifest) not in config_maps:
            yield f"{where}: the manifest {attempt.manifest} of its attempt is missing"
        for reference in view.spec.references() if view.spec is not None else ():
            if (view.namespace, reference.name) not in gates:
                yield f"{where}: its QualityGate {reference.name} is missing"


def _versions(view: RolloutView) -> Iterator[tuple[str, str, VersionRef]]:
    """Each version that the Rollout cannot do without: its role, the kind that holds its content, and which it is."""
    stable, attempt = view.status.stable, view.status.attempt
    if stable is None:
        return
    kind = PROMPT_VERSION.kind if stable.target is None else CONTROLLER_REVISION.kind
    yield "stable version", kind, VersionRef(version=stable.version, digest=stable.digest)
    if attempt is not None and attempt.outcome is None:
        yield "candidate", kind, attempt.candidate


def _held(archive: Archive) -> set[tuple[str, str, VersionRef]]:
    """The versions whose content the backup holds, by kind and namespace."""
    held = set()
    for each in archive.objects:
        digest = None
        if each.kind == PROMPT_VERSION and (entry := version_entry(each.content)) is not None:
            digest = entry.view.digest
        elif each.kind == CONTROLLER_REVISION:
            digest = digest_in(each.content)
        if digest:
            # A second snapshot of that name has the whole digest in its own.
            name = each.name.removesuffix(f"-{digest.removeprefix('sha256:')}")
            held.add((each.kind.kind, each.namespace, VersionRef(version=name, digest=digest)))
    return held


def _names(archive: Archive, kind: Kind) -> _Names:
    return {(each.namespace, each.name) for each in archive.objects if each.kind == kind}
