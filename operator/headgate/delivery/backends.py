"""The ConfigMaps ``<rollout>-<backend>`` that say which version a backend of an HTTPRoute must run. No I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from headgate.api.rollout import KillSwitch
from headgate.cluster import shape
from headgate.cluster.objects import WATCH_LABEL, Json
from headgate.delivery import flagd, flagd_reading, json_text
from headgate.delivery.refusals import Unusable
from headgate.engine.routing import ArmVersion, Payload, Routing

STABLE, CANDIDATE, IDLE = "stable", "candidate", "idle"
"""The arms of a backend. An idle one gets no traffic and runs stable, until a candidate is published to it."""

OWNER = "headgate.dev/rollout"
"""Annotation that makes a ConfigMap headgate's: the Rollout that it belongs to."""

REVISION = "headgate.dev/revision"


@dataclass(frozen=True, slots=True)
class BackendVersion:
    """What one backend must run."""

    version: str
    digest: str
    arm: str
    attempt: int
    """The attempt that brought this version to this backend."""
    payload: Payload

    def data(self) -> dict[str, str]:
        """The ConfigMap's data."""
        return {
            "version": self.version,
            "digest": self.digest,
            "arm": self.arm,
            "attempt": str(self.attempt),
            "payload": json.dumps(flagd.payload_json(self.payload)),
        }


def config_map_name(rollout: str, backend: str) -> str:
    """The name of a backend's ConfigMap."""
    return f"{rollout}-{backend}"


def wanted(routing: Routing, shown: Mapping[int, BackendVersion]) -> dict[int, BackendVersion]:
    """What the backends must run, by slot. A version without a payload keeps the one that is shown for its digest.

    After a promotion the idle backend keeps what it ran, so that a swap costs one write less; after a revert it is
    told to run stable, so that nothing runs what was rejected.
    """
    candidate = routing.candidate if routing.kill is KillSwitch.OFF else None
    idle = 1 - routing.stable_slot
    stable = _run(routing, routing.stable, STABLE, routing.stable_slot, shown)
    if candidate is not None:
        return {routing.stable_slot: stable, idle: _run(routing, candidate, CANDIDATE, idle, shown)}
    kept = shown.get(idle)
    if kept is None or kept.arm == CANDIDATE:
        kept = _run(routing, routing.stable, IDLE, idle, shown)
    return {routing.stable_slot: stable, idle: kept}


def read(config_map: Json | None) -> BackendVersion | None:
    """What a ConfigMap says; None when it is missing or cannot be read."""
    data = shape.mapping((config_map or {}).get("data"))
    version, digest, arm = (shape.text(data.get(key)) for key in ("version", "digest", "arm"))
    if not version or not digest or not arm:
        return None
    try:
        payload = json_text.parse(shape.text(data.get("payload")) or "{}")
    except json_text.NotJson:
        payload = {}
    attempt = shape.count(data.get("attempt")) or 0
    return BackendVersion(version, digest, arm, attempt, flagd_reading.payload(shape.mapping(payload)))


def config_map(routing: Routing, backend: str, version: BackendVersion) -> Json:
    """The whole ConfigMap, to be created."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": config_map_name(routing.rollout, backend), **_marks(routing)},
        "data": {**version.data()},
    }


def patch(routing: Routing, version: BackendVersion) -> Json:
    """The merge patch that makes an existing ConfigMap say it."""
    return {"metadata": _marks(routing), "data": {**version.data()}}


def is_of(config_map: Json, rollout: str) -> bool:
    """Whether headgate made it for that Rollout."""
    return shape.annotations(config_map).get(OWNER) == rollout


def refuse_foreign(config_map: Json, routing: Routing) -> None:
    """Raises Unusable for a ConfigMap of that name that headgate did not make for this Rollout."""
    owner = shape.annotations(config_map).get(OWNER)
    if not is_of(config_map, routing.rollout):
        name = shape.name(config_map)
        whose = f"belongs to Rollout {owner}" if owner else "is there and not headgate's"
        raise Unusable(f"ConfigMap {name} {whose}; the backend's version goes there, remove or rename it")


def revision(config_map: Json | None) -> int | None:
    """The fence that a ConfigMap carries."""
    return shape.count(shape.annotations(config_map or {}).get(REVISION))


def _marks(routing: Routing) -> Json:
    return {
        "labels": {WATCH_LABEL: "true"},
        "annotations": {OWNER: routing.rollout, REVISION: str(routing.revision)},
    }


def _run(
    routing: Routing, version: ArmVersion, arm: str, slot: int, shown: Mapping[int, BackendVersion]
) -> BackendVersion:
    same = [found for found in shown.values() if found.digest == version.digest]
    payload = version.payload or next((found.payload for found in same), None)
    here = shown.get(slot)
    kept = here is not None and here.digest == version.digest
    return BackendVersion(
        version.version,
        version.digest,
        arm,
        here.attempt if here is not None and kept else routing.attempt,
        payload or Payload(),
    )
