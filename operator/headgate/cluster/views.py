"""Raw objects into the engine's views. Never raises: what is malformed says so in its view and stalls itself alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from headgate.api.prompt_version import PromptVersionSpec, PromptVersionStatus
from headgate.api.quality_gate import QualityGateSpec, QualityGateStatus
from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import RolloutStatus
from headgate.cluster.gitops import keeper
from headgate.cluster.malformed import first_problem
from headgate.cluster.metadata import Identity, identity, own_annotations
from headgate.cluster.objects import Json
from headgate.cluster.salvaging import salvaged
from headgate.engine.observation import GateView, Key, RolloutView, VersionView
from headgate.engine.orders import NO_ORDERS
from headgate.engine.routing import Payload

COMPILED_SUFFIX = "-compiled"
_LONGEST_ROLLOUT = 63
_NOTHING: Mapping[str, object] = MappingProxyType({})
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A PromptVersion with what its own upkeep needs."""

    identity: Identity
    view: VersionView
    status: PromptVersionStatus
    spec: PromptVersionSpec | None
    """Only until it is compiled: prompts are long."""


@dataclass(frozen=True, slots=True)
class GateEntry:
    """A QualityGate with what its own upkeep needs."""

    identity: Identity
    view: GateView
    status: QualityGateStatus


def rollout_view(raw: Json, known: RolloutView | None = None) -> RolloutView | None:
    """A Rollout; the spec is taken from ``known`` where it is of the same generation. None without identity."""
    who = identity(raw)
    if who is None:
        return None
    if known is not None and (known.uid, known.generation) == (who.uid, who.generation):
        spec, problem, orders = known.spec, known.spec_error, known.salvaged
    else:
        spec, problem = _rollout_spec(raw, who.key)
        orders = salvaged(raw.get("spec")) if spec is None else NO_ORDERS
    status, unread = _read(RolloutStatus, raw)
    return RolloutView(
        namespace=who.key.namespace,
        name=who.key.name,
        uid=who.uid,
        resource_version=str(who.version),
        generation=who.generation,
        created_at=who.created_at,
        annotations=own_annotations(raw),
        spec=spec,
        status=status,
        unread=unread,
        spec_error=problem,
        salvaged=orders,
        deleting=who.deleting,
        keeper=keeper(raw),
    )


def version_entry(raw: Json) -> VersionEntry | None:
    """A PromptVersion. None without identity."""
    who = identity(raw)
    if who is None:
        return None
    status, _ = _read(PromptVersionStatus, raw)
    spec, problem = _spec(PromptVersionSpec, raw)
    if spec is None:
        view = VersionView(who.key.name, who.uid, "", "", Payload(), ready=False, error=problem)
        return VersionEntry(who, view, status, None)
    digest = spec.digest()
    ready = status.compiled is not None and status.digest == digest
    view = VersionView(
        name=who.key.name,
        uid=who.uid,
        family=spec.family,
        digest=digest,
        payload=_payload(who.key.name, spec),
        ready=ready,
        error=None,
    )
    return VersionEntry(who, view, status, None if ready else spec)


def gate_entry(raw: Json) -> GateEntry | None:
    """A QualityGate; whether its source and its queries will do is for others to add. None without identity."""
    who = identity(raw)
    if who is None:
        return None
    spec, problem = _spec(QualityGateSpec, raw)
    status, _ = _read(QualityGateStatus, raw)
    return GateEntry(who, GateView(who.key.name, spec, problem), status)


def refused(entry: VersionEntry, problem: str) -> VersionEntry:
    """The same version, which cannot be used for that reason."""
    return replace(entry, view=replace(entry.view, ready=False, error=problem))


def _payload(name: str, spec: PromptVersionSpec) -> Payload:
    model, parameters = spec.model, spec.parameters
    dated = f"@{model.version}" if model.version is not None else ""
    return Payload(
        compiled=f"{name}{COMPILED_SUFFIX}",
        model=f"{model.provider}/{model.name}{dated}",
        seed=parameters.seed if parameters is not None else None,
        temperature=parameters.temperature if parameters is not None else None,
    )


def _rollout_spec(raw: Json, key: Key) -> tuple[RolloutSpec | None, str | None]:
    if len(key.name) > _LONGEST_ROLLOUT:
        return None, f"metadata.name: {len(key.name)} characters; a Rollout's name has at most {_LONGEST_ROLLOUT}"
    return _spec(RolloutSpec, raw)


def _spec(model: type[_Model], raw: Json) -> tuple[_Model | None, str | None]:
    try:
        return model.model_validate(raw.get("spec")), None
    except ValidationError as error:
        return None, first_problem(error)


def _read(model: type[_Model], raw: Json) -> tuple[_Model, Mapping[str, object]]:
    """The status, and what of it cannot be read, such as the words of a newer release: that counts as lost."""
    given = raw.get("status") or {}
    try:
        return model.model_validate(given), _NOTHING
    except ValidationError as error:
        malformed = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
    if not isinstance(given, dict):
        return model(), _NOTHING
    try:
        return (
            model.model_validate({name: value for name, value in given.items() if name not in malformed}),
            {name: value for name, value in given.items() if name in malformed},
        )
    except ValidationError:
        return model(), given
