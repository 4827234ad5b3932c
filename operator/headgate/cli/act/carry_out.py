"""Writes a change under the resourceVersion that it was decided upon, and waits for the operator when asked to."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from headgate.api.rollout_status import AttemptState
from headgate.cli.act.change import Change
from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.connection import Connection, connect
from headgate.cli.kube.looking import Seen, look, seen
from headgate.cli.kube.rollouts import FIELD_MANAGER, EventKind
from headgate.cli.kube.target import Target
from headgate.cli.options import DryRun, Output
from headgate.cli.printing import note, show_json
from headgate.cli.safe_text import one_line
from headgate.cli.waiting import waiting_for
from headgate.cluster.gitops import keeper
from headgate.cluster.objects import ClusterError, Conflict, Json
from headgate.engine.observation import RolloutView

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Manner:
    """How a change is carried out, and what is said of it."""

    waits: bool = False
    """Whether to wait for the operator; never after a dry run."""
    seconds: float = 60.0
    """How long at most."""
    dry_run: DryRun = DryRun.NONE
    output: Output = Output.TEXT


@dataclass(frozen=True, slots=True)
class _Done:
    """A change that was carried out: on what, and what was there afterwards."""

    before: Seen
    change: Change
    after: Seen
    is_new: bool
    """Whether there was anything to write."""


def carry_out(
    target: Target, name: str, decide: Callable[[Connection, RolloutView], Change], manner: Manner = Manner()
) -> None:
    """Decides on what is there now, writes it unless it stands there already, says so, and waits.

    A conflict means that somebody else wrote: what is there then is decided upon anew. Raises CommandError or a
    ClusterError when it makes no sense, cannot be written, or the operator does not act in time.
    """
    with connect(target) as connection:
        done = _write(connection, name, decide, manner.dry_run)
        _say(done, manner)
        after = done.after
        if done.is_new and done.change.spec:
            if manner.dry_run is DryRun.NONE:
                after = _disown(connection, after)
            if (controller := keeper(done.before.raw)) is not None:
                note(f"note: {controller} applies this Rollout: change its spec in Git as well, or it is set back")
        if manner.waits and manner.dry_run is DryRun.NONE:
            _wait(connection, after, done.change, manner.seconds)


def _write(
    connection: Connection, name: str, decide: Callable[[Connection, RolloutView], Change], dry_run: DryRun
) -> _Done:
    for _ in range(_TRIES):
        before = look(connection, name)
        if before.view.deleting:
            raise CommandError(f"{before.view.key}: is being deleted")
        change = decide(connection, before.view)
        if change.stands_in(before.raw):
            return _Done(before, change, before, is_new=False)
        if dry_run is DryRun.CLIENT:
            return _Done(before, change, before, is_new=True)
        try:
            written = connection.rollouts.merge_patch(
                before.view.namespace,
                name,
                change.body(),
                resource_version=before.view.resource_version,
                dry_run=dry_run is DryRun.SERVER,
            )
        except Conflict:
            continue
        return _Done(before, change, seen(written), is_new=True)
    raise CommandError(f"{connection.namespace}/{name}: changed under every one of {_TRIES} writes; try again")


def _disown(connection: Connection, after: Seen) -> Seen:
    """Gives up the fields of the spec that were just written: an apply from Git needs no force afterwards.

    What was asked for is written already, so a note is all that comes of a request that fails.
    """
    try:
        for _ in range(_TRIES):
            others = _entries_of_others(after.raw)
            if others is None:
                return after
            metadata: Json = {"managedFields": [*others] or [{}]}
            with suppress(Conflict):
                written = connection.rollouts.merge_patch(
                    after.view.namespace,
                    after.view.name,
                    {"metadata": metadata},
                    resource_version=after.view.resource_version,
                )
                return seen(written)
            after = look(connection, after.view.name)
        why = "others write it all the time"
    except ClusterError as error:
        why = str(error)
    note(
        f"note: the spec's written fields stay owned by {FIELD_MANAGER}: the next server-side apply may need --force"
        f" ({why})"
    )
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


def _say(done: _Done, manner: Manner) -> None:
    change, view = done.change, done.before.view
    if manner.output is Output.JSON:
        annotation: Json | None = {change.annotation[0]: change.annotation[1]} if change.annotation else None
        show_json(
            {
                "namespace": view.namespace,
                "rollout": view.name,
                "message": change.says,
                "changed": done.is_new,
                "dryRun": manner.dry_run.value,
                "annotations": annotation,
                "spec": change.spec or None,
            }
        )
        return
    print(one_line(f"{change.says}{'' if done.is_new else ' (unchanged)'}{manner.dry_run.mark}"))
    if done.is_new and manner.dry_run is not DryRun.NONE:
        print(one_line(f"would write {json.dumps(change.body())}"))


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
    raise CommandError(f"{after.view.key}: {_unfinished(after.view, latest.view, seconds)}", ExitStatus.TIMED_OUT)


def _unfinished(before: RolloutView, after: RolloutView, seconds: float) -> str:
    """What keeps the operator from being done, as far as its status tells; else whether it runs at all."""
    attempt = after.status.attempt
    on_its_way = attempt is not None and attempt.state is AttemptState.ROLLING_BACK
    if (on_its_way or after.status != before.status) and (what := waiting_for(after, datetime.now(UTC))):
        return f"not done within {seconds:g} s; it waits for {what}"
    return f"written, but the operator did not act within {seconds:g} s; is it running?"


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
