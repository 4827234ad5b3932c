"""QualityGate: the checks that a candidate must pass, as queries with bounds. Knows no Rollout and no Prometheus."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from headgate.api.conditions import KEYED_BY_TYPE, Condition
from headgate.api.form import Form
from headgate.api.model import SpecModel, StatusModel
from headgate.api.quantities import IS_DURATION, Bound, Duration, ShortName, seconds
from headgate.api.rules import AT_LEAST_A_SECOND, POSITIVE_DURATION, admitted_when, first_twice, unique

Query = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
_PARAMETER = Form(
    r"^[a-zA-Z_][a-zA-Z0-9_]*$",
    "is no name of a parameter; write letters, digits and _, beginning with a letter or _",
)
ParameterName = Annotated[str, StringConstraints(min_length=1, max_length=63), _PARAMETER.check, _PARAMETER.rule]

BUILT_IN_PARAMETERS = frozenset({"version", "digest", "arm", "rollout", "namespace", "elapsed", "step"})
"""The parameters that every query knows without declaring them."""

_RESERVED = ", ".join(f"'{name}'" for name in sorted(BUILT_IN_PARAMETERS))
_PARAMETERS_RULES = admitted_when(
    (unique("@.name"), "two parameters have the same name; give each its own"),
    (
        f"!self.exists(p, p.name in [{_RESERVED}])",
        f"a parameter has a built-in name ({', '.join(sorted(BUILT_IN_PARAMETERS))}); choose another name",
    ),
)
_CHECKS_RULES = admitted_when((unique("@.name"), "two checks have the same name; give each its own"))
_WINDOW_RULES = admitted_when(IS_DURATION, (POSITIVE_DURATION, "window is no time at all; write 10m"))
_PERIOD_RULES = admitted_when(IS_DURATION, (AT_LEAST_A_SECOND, "period is shorter than 1s; write 15s"))

DEFAULT_WINDOW = "10m"
DEFAULT_PERIOD = "30s"


class Action(StrEnum):
    """What a breach does."""

    ROLLBACK = "Rollback"
    PAUSE = "Pause"
    HOLD = "Hold"
    NOTIFY = "Notify"


class OnNoData(StrEnum):
    """What an empty or not-a-number answer does once the step's hold is over."""

    HOLD = "Hold"
    PAUSE = "Pause"
    ROLLBACK = "Rollback"


class AbsentBad(StrEnum):
    """What a missing `bad` series means."""

    ZERO = "Zero"


class Parameter(SpecModel):
    """A parameter that the queries use as $(name); its value comes from the Rollout's args."""

    name: ParameterName
    """The parameter's name."""
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """What it stands for."""


class Ratio(SpecModel):
    """Two counts: bad out of total."""

    bad: Query
    """A PromQL query that counts what went wrong."""
    total: Query
    """A PromQL query that counts everything; its value is also what minSamples is compared with."""


class Threshold(SpecModel):
    """When the measured value is a breach, and what a breach does."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            (
                "has(self.above) || has(self.below) || has(self.aboveStableBy) || has(self.belowStableBy)",
                "bounds nothing; add one of above, below, aboveStableBy, belowStableBy",
            )
        )
    )

    above: Bound | None = None
    """A breach when the value is greater than this."""
    below: Bound | None = None
    """A breach when the value is less than this."""
    above_stable_by: Bound | None = None
    """A breach when the value exceeds stable's by more than this: a percentage is relative, a plain number a
    difference."""
    below_stable_by: Bound | None = None
    """A breach when the value falls short of stable's by more than this: a percentage is relative, a plain number a
    difference."""
    for_: Annotated[Duration | None, Field(alias="for")] = None
    """How long a breach must persist before it acts. Until then it blocks the step."""
    action: Action | None = None
    """What a breach does: Rollback, Pause, Hold or Notify. A warning's default is Notify, a critical's Rollback."""

    @model_validator(mode="after")
    def _bounds_something(self) -> "Threshold":
        if not self.has_absolute and not self.compares:
            raise ValueError("bounds nothing; add one of above, below, aboveStableBy, belowStableBy")
        return self

    @property
    def has_absolute(self) -> bool:
        """Whether the value is held against a figure of its own."""
        return self.above is not None or self.below is not None

    @property
    def compares(self) -> bool:
        """Whether the value is held against the stable arm's."""
        return self.above_stable_by is not None or self.below_stable_by is not None


class Check(SpecModel):
    """One measured thing with its bounds."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            ("has(self.query) != has(self.ratio)", "needs exactly one of query, ratio; keep one of them"),
            ("has(self.warning) || has(self.critical)", "nothing is bounded; add warning or critical"),
            (
                "!has(self.samplesQuery) || has(self.query)",
                "samplesQuery goes with query; a ratio's samples are its total; remove samplesQuery",
            ),
            (
                "!has(self.minSamples) || !has(self.query) || has(self.samplesQuery)",
                "minSamples beside a query counts nothing; add samplesQuery, a query that counts the samples",
            ),
            ("!has(self.absentBad) || has(self.ratio)", "absentBad goes with ratio; remove absentBad"),
        )
    )

    name: ShortName
    """The check's name, unique in its gate."""
    query: Query | None = None
    """A PromQL query whose value is judged."""
    ratio: Ratio | None = None
    """Two PromQL counts whose quotient is judged."""
    samples_query: Query | None = None
    """Beside a query: a PromQL query that counts the samples behind the value, for minSamples."""
    min_samples: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """The fewest samples that can be judged; with fewer the verdict is Undecided. In a comparison it holds for both
    arms."""
    absent_bad: AbsentBad | None = None
    """Zero: a missing `bad` series counts as 0 while `total` is there."""
    window: Annotated[Duration, Field(json_schema_extra=_WINDOW_RULES)] | None = None
    """The longest that $(elapsed) and $(step) grow; 10m when not given."""
    warning: Threshold | None = None
    """The bound that people should hear of."""
    critical: Threshold | None = None
    """The bound that ends the attempt."""
    on_no_data: OnNoData | None = None
    """What no data does once the step's hold is over; Hold when not given."""

    @model_validator(mode="after")
    def _one_measure(self) -> "Check":
        if (self.query is None) == (self.ratio is None):
            raise ValueError("needs exactly one of query, ratio; keep one of them")
        if self.warning is None and self.critical is None:
            raise ValueError("nothing is bounded; add warning or critical")
        if self.samples_query is not None and self.query is None:
            raise ValueError("samplesQuery: goes with query; a ratio's samples are its total; remove samplesQuery")
        if self.min_samples is not None and self.query is not None and self.samples_query is None:
            raise ValueError(
                "minSamples: beside a query it counts nothing; add samplesQuery, a query that counts the samples"
            )
        if self.absent_bad is not None and self.ratio is None:
            raise ValueError("absentBad: goes with ratio; remove absentBad")
        if self.window is not None and seconds(self.window) == 0:
            raise ValueError("window: is no time at all; write 10m")
        return self

    @property
    def compares(self) -> bool:
        """Whether stable is measured too."""
        return any(bound is not None and bound.compares for bound in (self.warning, self.critical))


class QualityGateSpec(SpecModel):
    """What is measured, how often, and where."""

    source: ShortName = "default"
    """The name of a Prometheus in the operator's own configuration."""
    period: Annotated[Duration, Field(json_schema_extra=_PERIOD_RULES)] = DEFAULT_PERIOD
    """How often the checks are measured."""
    parameters: Annotated[list[Parameter], Field(max_length=32, json_schema_extra=_PARAMETERS_RULES)] = []
    """The parameters that a Rollout must give as args."""
    checks: Annotated[list[Check], Field(min_length=1, max_length=32, json_schema_extra=_CHECKS_RULES)]
    """What is measured."""

    @model_validator(mode="after")
    def _names_and_period(self) -> "QualityGateSpec":
        if twice := first_twice(check.name for check in self.checks):
            raise ValueError(f"checks: the name {twice!r} stands twice; give each check its own")
        if twice := first_twice(parameter.name for parameter in self.parameters):
            raise ValueError(f"parameters: the name {twice!r} stands twice; give each parameter its own")
        if reserved := sorted(BUILT_IN_PARAMETERS & {parameter.name for parameter in self.parameters}):
            raise ValueError(f"parameters: {reserved[0]!r} is built in; choose another name")
        if seconds(self.period) < 1:
            raise ValueError(f"period: {self.period} is shorter than 1s; write 15s")
        return self


class QualityGateStatus(StatusModel):
    """What headgate thinks of this gate."""

    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    conditions: Annotated[list[Condition], Field(max_length=8, json_schema_extra=KEYED_BY_TYPE)] = []
    """Ready: whether Rollouts can be judged by this gate."""
