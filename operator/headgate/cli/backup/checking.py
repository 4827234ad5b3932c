"""Whether what a backup holds fits together, beyond its checksums. Knows no cluster."""

from collections.abc import Iterator

from headgate.cli.backup.archive import Archive
from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, QUALITY_GATE, ROLLOUT, Kind, Refused
from headgate.cluster.snapshots import snapshot_in
from headgate.cluster.views import rollout_view, version_entry
from headgate.engine.observation import RolloutView

_Names = set[tuple[str, str]]


def damaged(archive: Archive) -> Iterator[str]:
    """What must not be restored, one line each: a record or manifest that is not what headgate wrote."""
    for each in archive.objects:
        if each.kind == CONFIG_MAP:
            try:
                snapshot_in(each.content)
            except Refused as error:
                yield f"{each.namespace}: {error}"


def incomplete(archive: Archive) -> Iterator[str]:
    """What will hold a Rollout after a restore, and did so before, one line each."""
    digests = {
        (entry.identity.key.namespace, entry.identity.key.name): entry.view.digest
        for each in archive.objects
        if each.kind == PROMPT_VERSION and (entry := version_entry(each.content)) is not None
    }
    config_maps, gates = _names(archive, CONFIG_MAP), _names(archive, QUALITY_GATE)
    for each in archive.objects:
        view = rollout_view(each.content) if each.kind == ROLLOUT else None
        if view is None:
            continue
        where = f"Rollout {view.key}"
        if view.spec is None:
            yield f"{where}: {view.spec_error}"
        for role, name, digest in _versions(view):
            if digests.get((view.namespace, name)) != digest:
                yield f"{where}: its {role} {name} is not among the PromptVersions with the content that it had"
        attempt = view.status.attempt
        if attempt is not None and attempt.manifest and (view.namespace, attempt.manifest) not in config_maps:
            yield f"{where}: the manifest {attempt.manifest} of its attempt is missing"
        if (view.namespace, f"{view.name}-record") not in config_maps and view.status.stable is not None:
            yield f"{where}: its record is missing"
        for reference in view.spec.references() if view.spec is not None else ():
            if (view.namespace, reference.name) not in gates:
                yield f"{where}: its QualityGate {reference.name} is missing"


def _versions(view: RolloutView) -> Iterator[tuple[str, str, str]]:
    stable, attempt = view.status.stable, view.status.attempt
    # A target's versions are snapshots, which check themselves.
    if stable is None or stable.target is not None:
        return
    yield "stable version", stable.version, stable.digest
    if attempt is not None and attempt.outcome is None:
        yield "candidate", attempt.candidate.version, attempt.candidate.digest


def _names(archive: Archive, kind: Kind) -> _Names:
    return {(each.namespace, each.name) for each in archive.objects if each.kind == kind}
