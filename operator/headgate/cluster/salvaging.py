"""The orders in a spec that cannot be read as a whole: a newer release may have written it. Each is read by itself."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from headgate.api.after import Hook
from headgate.api.rollout import KillSwitch, PromptSubject, RevertSpec, Rollback, RollbackAlert
from headgate.cluster.objects import JsonValue
from headgate.cluster.shape import mapping, sequence, text
from headgate.engine.orders import Orders

_Model = TypeVar("_Model", bound=BaseModel)


def salvaged(spec: JsonValue) -> Orders:
    """What counts at once, as far as each part of it can be read; never raises.

    In doubt it is what exposes least: a kill switch that is turned to something unknown is turned to stable, a pause
    that is no boolean pauses. Hooks and alerts that cannot be read are left out. Of the prompt only what a
    revert puts back counts.
    """
    given = mapping(spec)
    rollback = mapping(given.get("rollback"))
    alerts = [_read(RollbackAlert, each) for each in sequence(rollback.get("alerts"))]
    readable = isinstance(spec, dict) and _is_either(given.get("rollback"), dict)
    return Orders(
        kill_switch=_kill_switch(given.get("killSwitch")),
        paused=given.get("paused") not in (None, False),
        rollback=Rollback.model_construct(
            alerts=[alert for alert in alerts if alert is not None],
            revert_spec=_revert_spec(rollback.get("revertSpec")),
            after=list(_hooks(rollback.get("after"))),
        ),
        prompt=_prompt(mapping(given.get("prompt"))),
        is_partial=not readable or None in alerts or not _is_either(rollback.get("alerts"), list),
    )


def _kill_switch(value: JsonValue) -> KillSwitch:
    if value is None:
        return KillSwitch.OFF
    turned = text(value)
    return KillSwitch(turned) if turned in set(KillSwitch) else KillSwitch.STABLE


def _revert_spec(value: JsonValue) -> RevertSpec:
    written = text(value)
    return RevertSpec(written) if written in set(RevertSpec) else RevertSpec.AUTO


def _prompt(given: Mapping[str, JsonValue]) -> PromptSubject | None:
    return _read(PromptSubject, {name: given.get(name) for name in PromptSubject.model_fields})


def _hooks(value: JsonValue) -> Iterator[Hook]:
    """Those that can be read, each name once: what became of them is kept by name."""
    known = set()
    for each in sequence(value):
        hook = _read(Hook, each)
        if hook is not None and hook.name not in known:
            known.add(hook.name)
            yield hook


def _is_either(value: JsonValue, kind: type) -> bool:
    """Whether it is missing, or of that kind."""
    return value is None or isinstance(value, kind)


def _read(model: type[_Model], value: JsonValue) -> _Model | None:
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError):
        return None
