"""The small languages inside a spec: durations as Prometheus writes them, bounds, shares and names."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from headgate.api.form import Form
from headgate.api.rules import admitted_when

# So many digits that no date overflows, with all units at their most.
_DURATION = r"^(0|([0-9]{1,2}y)?([0-9]{1,4}w)?([0-9]{1,5}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?)$"
_BOUND = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?(%|ms|s|m|h)?$"
_PERCENT = r"^(100|[1-9]?[0-9])%?$"
_LARGEST_BOUND = 999_999_999_999
# As rules rather than patterns: the server's message about a pattern says no more than the pattern.
IS_DURATION = (f"self.matches('{_DURATION}')", "is not a duration; write 30s, 5m, 1h30m, 3d or 2w")
"""The CEL rule of a duration; a field with a rule of its own about durations repeats it."""
_IS_BOUND = (
    rf"type(self) == int || string(self).matches(r'{_BOUND}')",
    """is not a bound; write 5%, 10s, 300ms, "0.02" or 3""",
)
_IS_SHARE = (
    "type(self) == int || string(self).matches('^(100|[1-9][0-9]?)%?$')",
    "is not a share; write a whole number of percent from 1% to 100%",
)
_UNIT_SECONDS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION_PART = re.compile(r"([0-9]+)(ms|[ywdhms])")
_BOUND_PARTS = re.compile(r"^(-?[0-9]{1,12}(?:\.[0-9]{1,9})?)(%|ms|s|m|h)?$")


@lru_cache(maxsize=4096)
def seconds(duration: str) -> float:
    """The length of a duration such as ``1h30m``, in seconds.

    Raises ValueError, with the accepted form, when the text is not a duration.
    """
    if not duration or not re.fullmatch(_DURATION, duration):
        raise ValueError(
            f"{_shown(duration)} is not a duration; units stand once each, the largest first;"
            " write 30s, 5m, 1h30m or 2w"
        )
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in _DURATION_PART.findall(duration))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


class BoundUnit(StrEnum):
    """What the figure of a bound counts."""

    NUMBER = "Number"
    PERCENT = "Percent"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True)
class BoundValue:
    """A bound, read. ``number`` is a fraction for a percentage (5 % is 0.05) and seconds for a time."""

    number: float
    unit: BoundUnit


@lru_cache(maxsize=4096)
def bound_value(bound: int | str) -> BoundValue:
    """Reads a bound: ``5%``, ``10s``, ``300ms``, ``"0.02"``, ``3``.

    Raises ValueError, with the accepted forms, when it is none of them.
    """
    parts = _BOUND_PARTS.fullmatch(str(bound))
    if parts is None:
        raise ValueError(
            f'{_shown(bound)} is not a bound; it is a percentage, a time or a number; write 5%, 10s, 300ms, "0.02" or 3'
        )
    number, unit = float(parts[1]), parts[2]
    if unit == "%":
        return BoundValue(number / 100.0, BoundUnit.PERCENT)
    if unit is None:
        return BoundValue(number, BoundUnit.NUMBER)
    return BoundValue(number * _UNIT_SECONDS[unit], BoundUnit.SECONDS)


def percent(share: int | str) -> int:
    """A whole share in %, 0 to 100, from ``40%`` or ``40``. Raises ValueError for anything else."""
    text = str(share)
    if not re.fullmatch(_PERCENT, text):
        raise ValueError(f"{_shown(share)} is not a share; it is a whole number of percent; write 1% to 100%")
    return int(text.removesuffix("%"))


def _checked_duration(text: str) -> str:
    seconds(text)
    return text


def _not_a_float(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError(f'{value!r} is no text; a spec holds no floats; write it in quotes, like "0.02"')
    return value


def _no_share_of_one(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError(f"{value!r} is not a share; it is a whole number of percent; write 1% to 100%")
    return value


def _has_a_unit(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} has no unit; a duration is a text; write {value:g}s for seconds")
    return value


def _checked_bound(value: int | str) -> int | str:
    bound_value(value)
    return value


def _checked_share(value: int | str) -> int | str:
    if percent(value) == 0:
        raise ValueError(f"{value!r} copies nothing; a step without traffic is never judged; write 1% to 100%")
    return value


Duration = Annotated[
    str,
    BeforeValidator(_has_a_unit),
    StringConstraints(min_length=1, max_length=40),
    AfterValidator(_checked_duration),
    Field(json_schema_extra=admitted_when(IS_DURATION)),
]
"""A length of time as Prometheus writes it: 30s, 5m, 1h30m, 3d, 2w."""

Bound = Annotated[
    int | str,
    BeforeValidator(_not_a_float),
    AfterValidator(_checked_bound),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "maxLength": 26,
            "minimum": -_LARGEST_BOUND,
            "maximum": _LARGEST_BOUND,
            **admitted_when(_IS_BOUND),
        }
    ),
]
"""A limit: a percentage (5%), a time (10s, 300ms), a number in quotes ("0.02") or a whole number (3)."""

Share = Annotated[
    int | str,
    BeforeValidator(_no_share_of_one),
    AfterValidator(_checked_share),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "maxLength": 4,
            "minimum": 1,
            "maximum": 100,
            **admitted_when(_IS_SHARE),
        }
    ),
]
"""A share in whole percent: 40% or 40."""

_OBJECT_NAME = Form(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "is no name of an object; write lower-case letters, digits, - and . with a letter or digit at both ends",
)
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253), _OBJECT_NAME.check, _OBJECT_NAME.rule]
"""The name of an object in the same namespace (a DNS subdomain, RFC 1123)."""

_SHORT_NAME = Form(
    r"^[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$",
    "is no name; write letters, digits, -, _ and . with a letter or digit at both ends",
)
ShortName = Annotated[str, StringConstraints(min_length=1, max_length=63), _SHORT_NAME.check, _SHORT_NAME.rule]
"""A word of at most 63 characters that names a part: a family, a step, a check."""

_DATA_KEY = Form(
    r"^([-_a-zA-Z0-9]|\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$",
    "is no key of a ConfigMap; write letters, digits, -, _ and ., not two dots at the beginning",
)
DataKey = Annotated[str, StringConstraints(min_length=1, max_length=253), _DATA_KEY.check, _DATA_KEY.rule]
"""A key of a ConfigMap's data; it never begins with two dots."""
