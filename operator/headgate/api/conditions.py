"""Kubernetes conditions, as kstatus and kubectl wait read them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints
from pydantic.config import JsonDict

from headgate.api.model import StatusModel


def rfc3339(moment: datetime) -> str:
    """A moment as Kubernetes writes it, in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    Field(json_schema_extra={"maxLength": 40}),
]
"""A moment, RFC 3339 with milliseconds."""


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusModel):
    """One aspect of an object's state, and since when."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    """What the condition is about, such as Ready."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """Why, as one CamelCase word for programs."""
    message: Annotated[str, StringConstraints(max_length=2048)] = ""
    """Why, and what to do, for people."""
    last_transition_time: Timestamp
    """When the status last changed, RFC 3339."""
    observed_generation: int | None = None
    """The generation of the spec that this condition speaks of."""


KEYED_BY_TYPE: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
"""The schema's extension of a list of conditions: each type stands once, and appliers own them one by one."""
