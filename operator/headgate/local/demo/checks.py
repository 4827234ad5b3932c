"""The checks of the attempt as people read them: the verdict that is recorded, the value that moves."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from headgate.api.quality_gate import QualityGateSpec, Threshold
from headgate.api.rollout_status import VerdictKind
from headgate.local.demo.scene import Measured, Scene


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check."""

    check: str
    value: str
    stable: str
    bound: str
    samples: str
    verdict: VerdictKind | None
    """None while none is recorded."""


class _Gate(BaseModel):
    spec: QualityGateSpec


def bounds(gate: Mapping[str, object]) -> Mapping[str, str]:
    """What each check of a QualityGate is held against, by check."""
    return {check.name: _bound(check.critical or check.warning) for check in _Gate.model_validate(gate).spec.checks}


def lines(scene: Scene) -> list[CheckLine]:
    """The checks of the attempt in flight, or of the last one.

    Values are the operator's newest where it tells them: the status has only those of the last transition.
    """
    if scene.status.attempt is None:
        return []
    in_flight = scene.status.attempt.outcome is None
    recorded = {verdict.check: verdict for verdict in scene.status.verdicts}
    shown = []
    for check, bound in scene.bounds.items():
        verdict = recorded.get(check)
        newest = scene.measured.get(check, Measured()) if in_flight else Measured()
        shown.append(
            CheckLine(
                check=check,
                value=_figure(newest.candidate, verdict.value if verdict else None),
                stable=_figure(newest.stable, verdict.stable if verdict else None),
                bound=bound,
                samples="" if verdict is None or verdict.samples is None else str(verdict.samples),
                verdict=verdict.verdict if verdict else None,
            )
        )
    return shown


def _bound(threshold: Threshold | None) -> str:
    if threshold is None:
        return ""
    limits = {
        "above": threshold.above,
        "below": threshold.below,
        "above stable by": threshold.above_stable_by,
        "below stable by": threshold.below_stable_by,
    }
    return ", ".join(f"{name} {limit}" for name, limit in limits.items() if limit is not None)


def _figure(newest: float | None, recorded: str | None) -> str:
    if newest is not None:
        return f"{newest:.4g}"
    try:
        return f"{float(recorded):.4g}" if recorded else ""
    except ValueError:
        return recorded or ""
