"""Manifests of attempts and the record of a Rollout, as ConfigMaps. Knows what they look like, not what they mean."""

import hashlib
import json
from collections import OrderedDict
from typing import TypeVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ValidationError

from headgate.api.model import API_VERSION
from headgate.api.quality_gate import QualityGateSpec
from headgate.cluster.malformed import first_problem
from headgate.cluster.objects import CONFIG_MAP, AlreadyExists, Conflict, Json, NotFound, Objects, Refused
from headgate.engine.observation import Key
from headgate.engine.plan import Plan, Record

_PLAN_KEY = "plan.json"
_RECORD_KEY = "record.json"
_DIGEST = "headgate.dev/digest"
_ROLLOUT = "headgate.dev/rollout"
_KEPT_PLANS = 20_000
_Model = TypeVar("_Model", bound=BaseModel)


class Snapshots:
    """Reads and writes them; plans are kept, since they never change."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._plans: OrderedDict[Key, Plan] = OrderedDict()
        self._gate_specs: WeakValueDictionary[str, QualityGateSpec] = WeakValueDictionary()
        self._record_versions: dict[Key, str] = {}

    def known_plan(self, namespace: str, name: str) -> Plan | None:
        """The manifest of that name, when it was read or written before. Asks nobody."""
        return self._plans.get(Key(namespace, name))

    async def plan(self, namespace: str, name: str) -> Plan | None:
        """The manifest of that name; None when it is gone. Raises Refused when it is not what was written."""
        known = self.known_plan(namespace, name)
        if known is not None:
            return known
        try:
            raw = await self._objects.get(CONFIG_MAP, namespace, name)
        except NotFound:
            return None
        return self._keep(Key(namespace, name), _read(Plan, raw, name, _PLAN_KEY))

    async def create_plan(self, plan: Plan) -> None:
        """Writes an attempt's manifest. One of that name holds the same content: the name has a digest of it."""
        body = _config_map(plan.name, plan.rollout, {_PLAN_KEY: plan.model_dump_json(by_alias=True, exclude_none=True)})
        body["immutable"] = True
        try:
            await self._objects.create(CONFIG_MAP, plan.namespace, body)
        except AlreadyExists:
            await self.plan(plan.namespace, plan.name)
            return
        self._keep(Key(plan.namespace, plan.name), plan)

    async def record(self, rollout: Key) -> Record | None:
        """What outlived earlier Rollouts of that name; None when there was none. Raises Refused when it is damaged."""
        name = _record_name(rollout)
        try:
            raw = await self._objects.get(CONFIG_MAP, rollout.namespace, name)
        except NotFound:
            self._record_versions.pop(rollout, None)
            return None
        record = _read(Record, raw, name, _RECORD_KEY)
        # Only what could be read may be written over.
        self._remember(rollout, raw)
        return record

    async def write_record(self, rollout: Key, record: Record, *, committed: bool = False) -> None:
        """Writes the record, unless one of a higher revision is there. Raises ClusterError.

        What another of the same revision has rejected stays rejected.

        ``committed`` says that the status it speaks of is written. Otherwise that status may come of an old read, and a
        record that others wrote raises Conflict: the same record is written when the Rollout was read again after that.
        """
        body = record_document(rollout, record)
        if rollout not in self._record_versions:
            try:
                self._remember(rollout, await self._objects.create(CONFIG_MAP, rollout.namespace, body))
            except AlreadyExists:
                await self._overwrite_record(rollout, record, body, committed=committed)
            return
        try:
            await self._patch_record(rollout, body)
        except (Conflict, NotFound):
            await self._overwrite_record(rollout, record, body, committed=committed)

    async def _overwrite_record(self, rollout: Key, record: Record, body: Json, *, committed: bool) -> None:
        known = await self.record(rollout)
        if known is None:
            self._remember(rollout, await self._objects.create(CONFIG_MAP, rollout.namespace, body))
        elif known.revision <= record.revision:
            if not committed:
                raise Conflict(f"ConfigMap {_record_name(rollout)} was written by another; the Rollout is read again")
            if known.revision == record.revision:
                body = record_document(rollout, record.beside(known))
            await self._patch_record(rollout, body)

    async def _patch_record(self, rollout: Key, body: Json) -> None:
        raw = await self._objects.merge_patch(
            CONFIG_MAP,
            rollout.namespace,
            _record_name(rollout),
            {"metadata": body["metadata"], "data": body["data"]},
            resource_version=self._record_versions[rollout],
        )
        self._remember(rollout, raw)

    def _remember(self, rollout: Key, raw: Json) -> None:
        metadata = raw.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str):
            self._record_versions[rollout] = version

    def forget(self, rollout: Key) -> None:
        """Drops what is kept about a Rollout that is gone."""
        self._record_versions.pop(rollout, None)

    def _keep(self, key: Key, plan: Plan) -> Plan:
        # Many Rollouts are judged by the same gates, whose specs are most of what a manifest holds.
        shared = {name: self._shared(spec) for name, spec in plan.gate_specs.items()}
        plan = self._plans[key] = plan.model_copy(update={"gate_specs": shared})
        if len(self._plans) > _KEPT_PLANS:
            self._plans.popitem(last=False)
        return plan

    def _shared(self, spec: QualityGateSpec) -> QualityGateSpec:
        return self._gate_specs.setdefault(spec.model_dump_json(), spec)


def snapshot_in(raw: Json) -> Plan | Record | None:
    """The manifest or record that a ConfigMap holds; None when it holds neither. Raises Refused for a damaged one."""
    metadata, data = raw.get("metadata"), raw.get("data")
    name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    if not isinstance(data, dict) or not isinstance(labels, dict) or _ROLLOUT not in labels:
        return None
    if _RECORD_KEY in data:
        return _read(Record, raw, name, _RECORD_KEY)
    return _read(Plan, raw, name, _PLAN_KEY) if _PLAN_KEY in data else None


def record_document(rollout: Key, record: Record) -> Json:
    """The ConfigMap that holds the record of a Rollout."""
    data = {_RECORD_KEY: record.model_dump_json(by_alias=True, exclude_none=True)}
    return _config_map(_record_name(rollout), rollout.name, data)


def _record_name(rollout: Key) -> str:
    return f"{rollout.name}-record"


def _config_map(name: str, rollout: str, data: dict[str, str]) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "labels": {_ROLLOUT: rollout, "app.kubernetes.io/managed-by": "headgate"},
            "annotations": {_DIGEST: _digest(data), "headgate.dev/api-version": API_VERSION},
        },
        "data": {**data},
    }


def _digest(data: dict[str, str]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _read(model: type[_Model], raw: Json, name: str, key: str) -> _Model:
    metadata, data = raw.get("metadata"), raw.get("data")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = data.get(key) if isinstance(data, dict) else None
    digest = annotations.get(_DIGEST) if isinstance(annotations, dict) else None
    if not isinstance(text, str) or digest != _digest({key: text}):
        raise Refused(f"ConfigMap {name}: {key} is not what headgate wrote; restore it, or delete the ConfigMap")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise Refused(f"ConfigMap {name}: {first_problem(error, key)}") from error
