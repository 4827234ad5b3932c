"""Reads Rollouts once and shows them."""

from datetime import UTC, datetime

from headgate.cli.kube.connection import connect
from headgate.cli.kube.looking import look, plan_of, seen
from headgate.cli.kube.target import Target
from headgate.cli.options import Output
from headgate.cli.printing import note, show, show_json
from headgate.cli.status.detail import detail
from headgate.cli.status.machine import machine
from headgate.cli.status.overview import overview


def show_one(target: Target, name: str, output: Output) -> None:
    """One Rollout in full. Raises NotFound, with names that are near."""
    with connect(target) as connection:
        found = look(connection, name)
        plan = plan_of(connection, found.view)
    now = datetime.now(UTC)
    if output is Output.JSON:
        show_json(machine(found, now, plan))
    else:
        show(detail(found.view, now, plan))


def show_all(target: Target, output: Output, *, everywhere: bool) -> None:
    """A line for each Rollout of the namespace, or of the cluster."""
    with connect(target) as connection:
        namespace = None if everywhere else connection.namespace
        found = [seen(raw) for raw in connection.rollouts.listing(namespace).items]
    now = datetime.now(UTC)
    if output is Output.JSON:
        show_json({"rollouts": [machine(each, now) for each in sorted(found, key=lambda each: each.view.key)]})
    elif found:
        show([overview([each.view for each in found], now, namespaces=everywhere)])
    else:
        where = "in any namespace" if namespace is None else f"in namespace {namespace!r}; all of them: -A"
        note(f"no rollouts {where}")
