"""What a Rollout wants to be run once after a revert: webhooks that the operator knows, Jobs of CronJobs."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from headgate.api.form import Form
from headgate.api.model import SpecModel
from headgate.api.quantities import IS_DURATION, Duration, ObjectName, ShortName, seconds
from headgate.api.rules import AT_LEAST_A_SECOND, admitted_when, first_twice, unique

_LONGEST_SECONDS = 86_400.0
_NO_SPAN = "is not between 1s and 24h, in hours, minutes or seconds; write 10m"
_ONE_CALL = "needs exactly one of webhook, job; keep one of them"
_TWICE = "names a hook twice; results are kept by name; give one of them another"

_HOOK_NAME = Form(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "is no hook's name; write lower-case letters, digits and - with a letter or digit at both ends",
)
HookName = Annotated[str, StringConstraints(min_length=1, max_length=63), _HOOK_NAME.check, _HOOK_NAME.rule]
"""What a hook is called in the status, in the Job's name and in the key of its posts."""


def _checked_span(text: str) -> str:
    if set(text) & set("ywd") or not 1 <= seconds(text) <= _LONGEST_SECONDS:
        raise ValueError(_NO_SPAN)
    return text


Span = Annotated[
    Duration,
    AfterValidator(_checked_span),
    Field(
        json_schema_extra=admitted_when(
            IS_DURATION,
            (AT_LEAST_A_SECOND, _NO_SPAN),
            # Without years, weeks and days it is a duration of CEL's too.
            ("!self.matches('[ywd]')", _NO_SPAN),
            ("!self.matches('^([0-9]+(h|ms|m|s))+$') || duration(self) <= duration('24h')", _NO_SPAN),
        )
    ),
]
"""How long a hook may take: 1s to 24h."""


class WebhookCall(SpecModel):
    """A webhook of the operator's own configuration. A Rollout names no address: it would be asked from elsewhere."""

    name: ShortName
    """What the operator's configuration calls it."""


class JobCall(SpecModel):
    """A Job like those that a CronJob makes, as kubectl create job --from=cronjob/NAME makes one."""

    cron_job: ObjectName
    """The CronJob, in this namespace; it may be suspended."""


class Hook(SpecModel):
    """One thing that is run once after a revert, beside everything else and never in the way of it."""

    model_config = ConfigDict(json_schema_extra=admitted_when(("has(self.webhook) != has(self.job)", _ONE_CALL)))

    name: HookName
    """What it is called in the status."""
    webhook: WebhookCall | None = None
    """A post to a webhook, at least once, always with the same Idempotency-Key."""
    job: JobCall | None = None
    """A Job, made once."""
    timeout: Span = "10m"
    """How long it may take in all, tries and waits included; the deadline of a Job."""
    retries: Annotated[int, Field(ge=0, le=10)] = 5
    """How often a post, or the making of the Job, is tried again. How often a Job's pods are is its backoffLimit."""

    @model_validator(mode="after")
    def _one_call(self) -> "Hook":
        if (self.webhook is None) == (self.job is None):
            raise ValueError(_ONE_CALL)
        return self


def _checked_names(hooks: list[Hook]) -> list[Hook]:
    if first_twice(hook.name for hook in hooks):
        raise ValueError(_TWICE)
    return hooks


Hooks = Annotated[
    list[Hook],
    AfterValidator(_checked_names),
    Field(max_length=8, json_schema_extra=admitted_when((unique("@.name"), _TWICE))),
]
"""The hooks of a Rollout, each with a name of its own."""
