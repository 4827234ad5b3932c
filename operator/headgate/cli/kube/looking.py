"""Finds the Rollout that a person named, with the plan of its attempt, or says which ones there are."""

from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

from headgate.cli.kube.connection import Connection
from headgate.cluster.objects import ClusterError, Json, NotFound
from headgate.cluster.views import rollout_view
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan

_PLAN_KEY = "plan.json"
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """A Rollout as it was read: the object itself, and its view."""

    raw: Json
    view: RolloutView


def look(connection: Connection, name: str) -> Seen:
    """The Rollout of that name. Raises NotFound, with names that are near."""
    try:
        return seen(connection.rollouts.get(connection.namespace, name))
    except NotFound as error:
        # This refuses in its own words when the cluster has no such kind at all.
        names = connection.rollouts.names(connection.namespace, most=500)
        raise NotFound(_not_found(connection.namespace, name, names)) from error


def seen(raw: Json) -> Seen:
    """The view of an object that the API server showed. Raises NotFound for what has no identity."""
    view = rollout_view(raw)
    if view is None:
        raise NotFound("the API server showed an object without a name")
    return Seen(raw, view)


def plan_of(connection: Connection, view: RolloutView) -> Plan | None:
    """What was frozen for the attempt; None when there is none or it may not be read: then the spec must do."""
    attempt = view.status.attempt
    if attempt is None or attempt.manifest is None:
        return None
    try:
        text = connection.rollouts.config_map(view.namespace, attempt.manifest).get(_PLAN_KEY, "")
        return Plan.model_validate_json(text)
    except (ClusterError, ValidationError):
        return None


def _not_found(namespace: str, name: str, names: tuple[str, ...]) -> str:
    said = f"no rollout {name!r} in namespace {namespace!r}"
    if near := get_close_matches(name, names, n=_MOST_NAMES, cutoff=0.5):
        return f"{said}; did you mean {' or '.join(near)}?"
    if names:
        more = ", ..." if len(names) > _MOST_NAMES else ""
        return f"{said}; there are {', '.join(names[:_MOST_NAMES])}{more}"
    return f"{said}, which has none; name another with -n"
