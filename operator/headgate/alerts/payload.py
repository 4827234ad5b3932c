"""What Alertmanager posts (version "4" of its webhook), read strictly where it is acted upon. Knows no Rollout."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

MOST_ALERTS = 10_000
FIRING = "firing"

Labels = dict[str, str]
"""As many as there is room for: one alert with too many would keep out the others that are posted with it."""


class Malformed(ValueError):
    """A post that is none of Alertmanager's; the text says where, in one line."""


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is beyond all dates") from error


class _Part(BaseModel):
    """A part of a post. Newer Alertmanagers add fields; those are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Alert(_Part):
    """One alert of a group."""

    status: Annotated[str, StringConstraints(max_length=40)]
    labels: Labels
    annotations: Labels = {}
    starts_at: Annotated[AwareDatetime, AfterValidator(_utc)]
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[-_a-zA-Z0-9]{1,64}$")]

    @property
    def is_firing(self) -> bool:
        """Whether it fires now; a group fires as long as any of its alerts does, so that only this one counts."""
        return self.status == FIRING


class Post(_Part):
    """One notification: a group of alerts."""

    version: Literal["4"]
    alerts: Annotated[list[Alert], Field(max_length=MOST_ALERTS)]
    truncated_alerts: Annotated[int, Field(ge=0)] = 0
    """How many more alerts the group has than Alertmanager was told to send."""


def post_of(body: bytes) -> Post:
    """The post in a request's body. Raises Malformed."""
    try:
        return Post.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"{where}: {first['msg']}"[:200] if where else first["msg"][:200]) from error
