"""Fields that the design knows and this release does not act on, so that they are refused by their right name."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel

from headgate.api.quality_gate import Check, QualityGateSpec
from headgate.api.rollout import FlagDelivery, Rollback, RolloutSpec, Step

_NOT_YET: Mapping[type[BaseModel], frozenset[str]] = MappingProxyType(
    {
        RolloutSpec: frozenset({"roster", "window", "confidence", "mode", "bucketing"}),
        Rollback: frozenset({"revertSpec"}),
        FlagDelivery: frozenset({"bucketing"}),
        Step: frozenset({"segments", "mode", "maxCustomers", "confidence"}),
        QualityGateSpec: frozenset({"evaluation", "schedule"}),
        Check: frozenset({"result", "confidenceLevel"}),
    }
)


def is_not_yet(model: type[BaseModel], field: str) -> bool:
    """Whether a later release will know the field, and this one does not."""
    return field in _NOT_YET.get(model, frozenset())
