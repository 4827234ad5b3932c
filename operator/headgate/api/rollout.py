"""Rollout: what is released, through which routers, in which steps and under which gates. The spec alone."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from headgate.api.after import Hooks
from headgate.api.form import Form
from headgate.api.model import SpecModel
from headgate.api.quality_gate import ParameterName
from headgate.api.quantities import DataKey, Duration, ObjectName, Share, ShortName, percent, seconds
from headgate.api.rollout_rules import (
    ARGS_RULES,
    BACKENDS_RULES,
    DEADLINE_RULES,
    DELIVERY_RULES,
    GATES_RULES,
    JUDGED_TWICE,
    MATCH_RULES,
    ONE_ROUTER,
    STEPS_RULES,
    TARGET_RULES,
)
from headgate.api.rules import admitted_when, first_twice
from headgate.api.target import FieldDelivery, ObjectReference, TargetSubject, holds, splits

_CONTEXT_KEY = Form(
    r"^[a-zA-Z_][a-zA-Z0-9_]*$",
    "is no key of an evaluation context; write letters, digits and _, beginning with a letter or _",
)
_ALERT_LABEL = Form(
    r"^[a-zA-Z_][a-zA-Z0-9_]*$",
    "is no name of a label; write letters, digits and _, as the alert has it",
)
_FLAG_NAME = Form(
    r"^[a-zA-Z0-9][-_.a-zA-Z0-9]*$",
    "is no name of a flag; write letters, digits, -, _ and ., beginning with a letter or digit",
)
_SERVICE_NAME = Form(
    r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
    "is no name of a Service; write lower-case letters, digits and -, beginning with a letter",
)
_SALT = Form(r"^[-_.a-zA-Z0-9]+$", "is no salt; write letters, digits, -, _ and .")
ContextKey = Annotated[str, StringConstraints(min_length=1, max_length=63), _CONTEXT_KEY.check, _CONTEXT_KEY.rule]
FlagName = Annotated[str, StringConstraints(min_length=1, max_length=253), _FLAG_NAME.check, _FLAG_NAME.rule]
AlertLabel = Annotated[str, StringConstraints(min_length=1, max_length=128), _ALERT_LABEL.check]
ServiceName = Annotated[str, StringConstraints(min_length=1, max_length=63), _SERVICE_NAME.check, _SERVICE_NAME.rule]


class Approval(StrEnum):
    """Whether a person must agree before a step is entered."""

    REQUIRED = "Required"
    NOT_REQUIRED = "NotRequired"


class KillSwitch(StrEnum):
    """Where everybody goes, at once, whatever else is going on."""

    OFF = "Off"
    STABLE = "Stable"
    LEGACY = "Legacy"


class PromptSubject(SpecModel):
    """The prompt version that should be stable. Changing the version is the release."""

    family: ShortName
    """The family that the versions belong to."""
    version: ObjectName
    """The PromptVersion, in this namespace."""


class FlagConfigMap(SpecModel):
    """A ConfigMap that holds a flagd document. The kubelet's sync to mounted files adds up to a minute."""

    name: ObjectName
    """The ConfigMap. Created when missing; never owned, never deleted."""
    key: DataKey = "flags.json"
    """The key whose value is the document."""


class FlagFeatureFlag(SpecModel):
    """A FeatureFlag resource of the OpenFeature operator, which flagd watches: changes arrive in seconds."""

    name: ObjectName
    """The FeatureFlag. Created when missing; never owned, never deleted."""


class FlagDelivery(SpecModel):
    """An OpenFeature flag, in flagd's own format, that the application evaluates for each customer."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            (
                "has(self.configMap) != has(self.featureFlag)",
                "needs exactly one of configMap, featureFlag; keep one of them",
            )
        )
    )

    name: FlagName
    """The flag's key in the document."""
    key: ContextKey
    """The attribute of the evaluation context that names the customer; customers stay in once they are in."""
    config_map: FlagConfigMap | None = None
    """Write to a ConfigMap."""
    feature_flag: FlagFeatureFlag | None = None
    """Write to a FeatureFlag resource."""
    salt: Annotated[str, StringConstraints(min_length=1, max_length=63), _SALT.check, _SALT.rule] | None = None
    """What customers are hashed with; the flag's name when not given. Another salt draws another cohort."""

    @model_validator(mode="after")
    def _one_document(self) -> "FlagDelivery":
        if (self.config_map is None) == (self.feature_flag is None):
            raise ValueError("needs exactly one of configMap, featureFlag; keep one of them")
        return self


class HttpRouteDelivery(SpecModel):
    """The weights of two backends of one rule of a Gateway API HTTPRoute. The arms swap at promotion."""

    name: ObjectName
    """The HTTPRoute."""
    backends: Annotated[list[ServiceName], Field(min_length=2, max_length=2, json_schema_extra=BACKENDS_RULES)]
    """Two Services of one rule. The first serves stable until the first promotion."""

    @model_validator(mode="after")
    def _two_backends(self) -> "HttpRouteDelivery":
        if self.backends[0] == self.backends[1]:
            raise ValueError("backends: names the same Service twice; the arms swap; name two Services")
        return self


class Delivery(SpecModel):
    """One way in which the split reaches traffic."""

    model_config = ConfigDict(json_schema_extra=admitted_when(ONE_ROUTER))

    flag: FlagDelivery | None = None
    """By an OpenFeature flag."""
    http_route: HttpRouteDelivery | None = None
    """By an HTTPRoute's weights."""
    field: FieldDelivery | None = None
    """By a field that another controller reads, such as KServe's canaryTrafficPercent."""

    @model_validator(mode="after")
    def _one_router(self) -> "Delivery":
        if [self.flag, self.http_route, self.field].count(None) != 2:
            raise ValueError("needs exactly one of flag, httpRoute, field; keep one of them")
        return self

    @property
    def claim(
        self,
    ) -> tuple[str | None, str | None, FlagConfigMap | None, FlagFeatureFlag | None, FieldDelivery | None]:
        """What tells this delivery's router from others: the route, the flag with its document, or the field."""
        route = self.http_route.name if self.http_route is not None else None
        if self.flag is None:
            return route, None, None, None, self.field
        return route, self.flag.name, self.flag.config_map, self.flag.feature_flag, None


class GateReference(SpecModel):
    """A QualityGate of this namespace, with its parameters' values."""

    name: ObjectName
    """The QualityGate."""
    args: Annotated[
        dict[ParameterName, Annotated[str, StringConstraints(max_length=253)]],
        Field(max_length=32, json_schema_extra=ARGS_RULES),
    ] = {}
    """The values of the gate's parameters; escaped, never spliced raw."""


class Step(SpecModel):
    """A stage of an attempt: who sees the candidate, and for how long at least."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            (
                "!has(self.weight) || !has(self.shadow)",
                "weight and shadow exclude each other; a shadow step exposes nobody; make two steps of it",
            ),
            (
                "has(self.weight) || has(self.shadow) || (has(self.gates) && size(self.gates) > 0)",
                "does nothing; add a weight, a shadow or gates",
            ),
            (
                "has(self.weight) || has(self.shadow) || has(self.name)",
                "a step of gates alone has no weight to be called by; add a name",
            ),
        )
    )

    name: ShortName | None = None
    """The step's name; its weight when not given."""
    weight: Annotated[int, Field(ge=1, le=100)] | None = None
    """The candidate's share of customers or requests, in %."""
    shadow: Share | None = None
    """The share of requests that is copied to the candidate; nobody sees its answers."""
    hold_for: Duration | None = None
    """The least time that the step lasts, from when its weight was observed."""
    approval: Approval | None = None
    """Required: the step is entered only when a person approved it."""
    gates: Annotated[list[GateReference], Field(max_length=16, json_schema_extra=GATES_RULES)] = []
    """Gates that judge this step besides spec.gates."""

    @model_validator(mode="after")
    def _one_exposure(self) -> "Step":
        if self.weight is not None and self.shadow is not None:
            raise ValueError("weight and shadow exclude each other; a shadow step exposes nobody; make two steps of it")
        if self.weight is None and self.shadow is None and not self.gates:
            raise ValueError("does nothing; add a weight, a shadow or gates")
        if self.weight is None and self.name is None and self.shadow is None:
            raise ValueError("a step of gates alone has no weight to be called by; add a name")
        _refuse_gate_twice(self.gates)
        return self

    @property
    def label(self) -> str:
        """What the step is called in annotations, events and status."""
        if self.name is not None:
            return self.name
        return str(self.weight) if self.weight is not None else "shadow"

    @property
    def exposure(self) -> int:
        """The candidate's share in this step, in %; 0 while it is only shadowed or evaluated."""
        return self.weight or 0

    @property
    def shadow_share(self) -> int:
        """The share of requests that is copied to the candidate, in %."""
        return percent(self.shadow) if self.shadow is not None else 0

    @property
    def is_judged(self) -> bool:
        """Whether spec.gates judge this step: it exposes or shadows."""
        return self.weight is not None or self.shadow is not None


def _refuse_gate_twice(gates: list[GateReference]) -> None:
    if twice := first_twice(gate.name for gate in gates):
        raise ValueError(f"gates: names {twice!r} twice; verdicts are kept by gate; name each gate once")


class AlertAction(StrEnum):
    """What a firing alert does to the attempt in flight."""

    ROLLBACK = "Rollback"
    PAUSE = "Pause"
    NOTIFY = "Notify"


class RollbackAlert(SpecModel):
    """Alerts of Alertmanager's webhook that concern this Rollout, and what they do."""

    match: Annotated[
        dict[AlertLabel, Annotated[str, StringConstraints(min_length=1, max_length=253)]],
        Field(min_length=1, max_length=16, json_schema_extra=MATCH_RULES),
    ]
    """The labels that an alert must have, each with exactly this value."""
    action: AlertAction = AlertAction.ROLLBACK
    """Rollback rejects the candidate, Pause stops rises until a resume, Notify only tells."""


class RevertSpec(StrEnum):
    """Whether a revert writes the last good version back into what is released."""

    AUTO = "Auto"
    ALWAYS = "Always"
    NEVER = "Never"


class Rollback(SpecModel):
    """What takes an attempt back besides its gates, what a revert does, and what is run after that."""

    alerts: Annotated[list[RollbackAlert], Field(max_length=16)] = []
    """Alerts that act on the attempt in flight; an alert that several of these match does the most severe."""
    revert_spec: RevertSpec = RevertSpec.AUTO
    """Auto leaves alone what Argo CD or Flux applies from Git and would write back. Weights go to 0 in any case."""
    after: Hooks = []
    """What is run once after each revert that rejected a version, beside everything else."""


def _placed(delivery: Delivery, own: ObjectReference) -> Delivery:
    if delivery.field is None or delivery.field.target is not None:
        return delivery
    return delivery.model_copy(update={"field": delivery.field.model_copy(update={"target": own})})


class RolloutSpec(SpecModel):
    """What is released, and how it gets there."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            (
                f"!has(self.gates) || !self.steps.exists(s, {JUDGED_TWICE})",
                "a step names a gate of spec.gates, which judges that step anyway; remove it from the step",
            ),
            *TARGET_RULES,
        )
    )

    prompt: PromptSubject | None = None
    """The prompt version that should be stable."""
    target: TargetSubject | None = None
    """The object whose declared fields are the release."""
    delivery: Annotated[list[Delivery], Field(min_length=1, max_length=8, json_schema_extra=DELIVERY_RULES)]
    """The routers that carry the split; all of them show the same weight."""
    gates: Annotated[list[GateReference], Field(max_length=16, json_schema_extra=GATES_RULES)] = []
    """The gates that judge every step that exposes or shadows, and the bake."""
    steps: Annotated[list[Step], Field(min_length=1, max_length=32, json_schema_extra=STEPS_RULES)]
    """The stages of an attempt; weights never fall and the last is 100."""
    bake_for: Duration | None = None
    """How long the candidate is still judged, and still reverted, at 100 % before it becomes stable."""
    progress_deadline: Annotated[Duration, Field(json_schema_extra=DEADLINE_RULES)] | None = None
    """How long a step may last beyond its hold before Stalled says so. Nothing is reverted by it."""
    paused: bool = False
    """Weights do not rise. Judging and reverting go on."""
    kill_switch: KillSwitch = KillSwitch.OFF
    """Everybody, at once, to stable or to the legacy path. Turning it Off raises nothing."""
    rollback: Rollback | None = None
    """What takes an attempt back besides its gates, and what a revert does; an edit counts at once."""
    service_account_name: ObjectName | None = None
    """A ServiceAccount of this namespace as which routers, the target and hooks' Jobs are written, with its rights
    alone; headgate itself when not given. An edit counts at once."""
    revision_history_limit: Annotated[int, Field(ge=0, le=100)] = 10
    """How many snapshots of the target are kept besides those of stable, of the candidate and of what was rejected."""

    @model_validator(mode="after")
    def _one_subject(self) -> "RolloutSpec":
        if (self.prompt is None) == (self.target is None):
            raise ValueError("needs exactly one of prompt, target; keep one of them")
        for index, delivery in enumerate(self.delivery):
            field = delivery.field
            if field is None:
                continue
            if field.target is None and self.target is None:
                raise ValueError(f"delivery[{index}].field: has no object to write to; add a target to it")
            if self.target is None or (field.target is not None and not self.target.is_same(field.target)):
                continue
            for path in self.target.fields:
                if holds(path, field.path) or holds(field.path, path):
                    raise ValueError(
                        f"delivery[{index}].field.path: overlaps target.fields {path!r}; a weight is no release;"
                        " declare the fields beside it"
                    )
                if not splits(self.target, field.path, path):
                    raise ValueError(
                        f"target.fields: {path!r} is in another component than delivery[{index}].field.path;"
                        " KServe splits each component by itself; release it by a Rollout of its own"
                    )
        if self.target is not None and self.target.exposure is None and not self._writes_into(self.target):
            raise ValueError(
                "target: no delivery writes a weight into the target; an edit would reach everybody at once;"
                " add delivery.field, or exposure: Immediate to accept that"
            )
        return self

    def _writes_into(self, target: TargetSubject) -> bool:
        fields = (delivery.field for delivery in self.delivery)
        return any(field is not None and (field.target is None or target.is_same(field.target)) for field in fields)

    @model_validator(mode="after")
    def _steps_lead_to_everybody(self) -> "RolloutSpec":
        if twice := first_twice(step.label for step in self.steps):
            raise ValueError(f"steps: {twice!r} names two steps; approvals name a step; give one of them a name")
        weights = [step.exposure for step in self.steps]
        for index, (earlier, later) in enumerate(pairwise(weights), start=1):
            if later < earlier:
                raise ValueError(
                    f"steps[{index}]: the weight falls from {earlier} to {later}; weights only rise;"
                    " order the steps by weight"
                )
        if weights[-1] != 100:
            raise ValueError(
                f"steps[{len(weights) - 1}]: the last weight is {weights[-1]}, not 100; steps end with everybody;"
                " add {weight: 100}"
            )
        return self

    @model_validator(mode="after")
    def _nothing_twice(self) -> "RolloutSpec":
        if first_twice(delivery.claim for delivery in self.routes()):
            raise ValueError("delivery: two write to the same flag, route or field; remove one of them")
        _refuse_gate_twice(self.gates)
        everywhere = {gate.name for gate in self.gates}
        for index, step in enumerate(self.steps):
            if step.is_judged and (again := sorted(everywhere & {gate.name for gate in step.gates})):
                raise ValueError(
                    f"steps[{index}].gates: names {again[0]!r}, which is in spec.gates and judges this step anyway;"
                    " remove it here"
                )
        if self.progress_deadline is not None and seconds(self.progress_deadline) == 0:
            raise ValueError("progressDeadline: is no time at all; write 1h, or remove it")
        return self

    def routes(self) -> list[Delivery]:
        """The deliveries, each field's with the object that it stands in."""
        if self.target is None:
            return self.delivery
        own = ObjectReference(api_version=self.target.api_version, kind=self.target.kind, name=self.target.name)
        return [_placed(delivery, own) for delivery in self.delivery]

    def references(self) -> list[GateReference]:
        """Every gate that any step of this Rollout needs, spec.gates first."""
        return [*self.gates, *(reference for step in self.steps for reference in step.gates)]
