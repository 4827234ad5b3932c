"""A Rollout for programs: what status says, with what it waits for. Pure."""

from datetime import datetime

from headgate.cli.kube.looking import Seen
from headgate.cli.status.overview import candidate_of
from headgate.cli.waiting import waiting
from headgate.cluster.objects import Json
from headgate.engine.plan import Plan


def machine(seen: Seen, now: datetime, plan: Plan | None = None) -> Json:
    """One JSON object; ``status`` is as the API server has it."""
    view, state = seen.view, waiting(seen.view, now, plan)
    return {
        "namespace": view.namespace,
        "name": view.name,
        "phase": view.status.phase.value if view.status.phase is not None else None,
        "weight": view.status.weight,
        "stable": view.status.stable.version if view.status.stable is not None else None,
        "candidate": candidate_of(view) or None,
        "waitingFor": state.what or None,
        "toDo": state.remedy or None,
        "status": seen.raw.get("status") or {},
    }
