"""Writes a change under the resourceVersion that it was decided upon, and waits for the operator when asked to."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from headgate.cli.act.change import Change
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.connection import Connection, connect
from headgate.cli.kube.looking import Seen, look, seen
from headgate.cli.kube.rollouts import FIELD_MANAGER, EventKind
from headgate.cli.options import Output, Target
from headgate.cli.printing import note, show_json
from headgate.cli.safe_text import one_line
from headgate.cluster.gitops import keeper
from headgate.cluster.objects import ClusterError, Conflict, Json, Refused
from headgate.engine.observation import RolloutView

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """Whether to wait for the operator, and how many seconds at most."""

    waits: bool = False
    seconds: float = 60.0


def carry_out(
    target: Target,
    name: str,
    decide: Callable[[Connection, RolloutView], Change],
    *,
    patience: Patience,
    output: Output,
) -> None:
    """Decides on what is there now, writes it, says so, and waits.

    A conflict means that somebody else wrote: what is there then is decided upon anew. Raises CommandError or a
    ClusterError when it makes no sense, cannot be written, or the operator does not act in time.
    """
    with connect(target) as connection:
        before, change, after = _write(connection, name, decide)
        if change.spec:
            after = _disown(connection, after)
            if (controller := keeper(before.raw)) is not None:
                note(f"note: {controller} applies this Rollout: change its spec in Git as well, or it is set back")
        _say(before, change, output)
        if patience.waits:
            _wait(connection, after, change, patience.seconds)


def _write(
    connection: Connection, name: str, decide: Callable[[Connection, RolloutView], Change]
) -> tuple[Seen, Change, Seen]:
    for _ in range(_TRIES):
        before = look(connection, name)
        if before.view.deleting:
            raise CommandError(f"{before.view.key}: is being deleted")
        change = decide(connection, before.view)
        try:
            written = connection.rollouts.merge_patch(
                before.view.namespace, name, change.body(), resource_version=before.view.resource_version
            )
        except Conflict:
            continue
        return before, change, seen(written)
    raise CommandError(f"{connection.namespace}/{name}: changed under every one of {_TRIES} writes; try again")


def _disown(connection: Connection, after: Seen) -> Seen:
    """Gives up the fields of the spec that were just written: an apply from Git needs no force afterwards."""
    for _ in range(_TRIES):
        others = _entries_of_others(after.raw)
        if others is None:
            return after
        metadata: Json = {"managedFields": [*others] or [{}]}
        try:
            written = connection.rollouts.merge_patch(
                after.view.namespace,
                after.view.name,
                {"metadata": metadata},
                resource_version=after.view.resource_version,
            )
            return seen(written)
        except Conflict:
            after = look(connection, after.view.name)
        except Refused:
            break
    note(f"note: the spec's written fields stay owned by {FIELD_MANAGER}: the next server-side apply may need --force")
    return after


def _entries_of_others(raw: Json) -> list[Json] | None:
    """The managedFields without the command's own entry for the spec; None when it has none."""
    metadata = raw.get("metadata")
    entries = metadata.get("managedFields") if isinstance(metadata, dict) else None
    known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    others = [entry for entry in known if not _is_own(entry)]
    return others if len(others) < len(known) else None


def _is_own(entry: Json) -> bool:
    fields = entry.get("fieldsV1")
    return entry.get("manager") == FIELD_MANAGER and isinstance(fields, dict) and "f:spec" in fields


def _say(before: Seen, change: Change, output: Output) -> None:
    if output is Output.TEXT:
        print(one_line(change.says))
        return
    annotation: Json | None = {change.annotation[0]: change.annotation[1]} if change.annotation else None
    show_json(
        {
            "namespace": before.view.namespace,
            "rollout": before.view.name,
            "message": change.says,
            "annotations": annotation,
            "spec": change.spec or None,
        }
    )


def _wait(connection: Connection, after: Seen, change: Change, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    latest = after
    while True:
        rest = deadline - time.monotonic()
        if change.is_done(latest.view):
            return
        if rest <= 0:
            break
        latest = _next_look(connection, latest, change, rest)
    raise CommandError(
        f"{after.view.key}: written, but the operator did not act within {seconds:g} s; is it running?",
        ExitStatus.TIMED_OUT,
    )


def _next_look(connection: Connection, latest: Seen, change: Change, rest: float) -> Seen:
    """The first state in which the change is done, or the last one before the watch ended."""
    view = latest.view
    try:
        for event in connection.rollouts.watch(
            view.namespace, view.name, view.resource_version, seconds=max(1, int(rest))
        ):
            if event.kind is EventKind.DELETED:
                raise CommandError(f"{view.key}: was deleted meanwhile")
            if event.kind is not EventKind.BOOKMARK:
                latest = seen(event.obj)
                if change.is_done(latest.view):
                    return latest
    except ClusterError:
        return look(connection, view.name)
    return latest
