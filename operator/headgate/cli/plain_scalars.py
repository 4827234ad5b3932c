"""How Kubernetes reads a plain scalar of YAML: as YAML 1.1 with go-yaml's rules, then as JSON. Knows no document.

The rules are those of `resolve` in go.yaml.in/yaml/v2, which sigs.k8s.io/yaml and so kubectl and the API server go by.
They differ from PyYAML's: ``1e3``, ``0o14`` and ``y`` are no text.
"""

import math
import re
from typing import Final, TypeAlias

import yaml
from yaml.resolver import Resolver

Value: TypeAlias = "str | int | float | bool | None"

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGERS: Final = (
    (re.compile(r"([-+]?)0[xX]0*([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[oO]0*([0-7]+)"), 8),
    (re.compile(r"([-+]?)0[bB]0*([01]+)"), 2),
    (re.compile(r"()0b([-+]?[01]+)"), 2),
    (re.compile(r"([-+]?)0+([0-7]*)"), 8),
    (re.compile(r"([-+]?)([1-9][0-9]*)"), 10),
)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_AFTER_A_POINT: Final = re.compile(r"\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?")
_MOST_DIGITS: Final = 65
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1
_MOST_SIGNED: Final = 2**63 - 1
_RESOLVER: Final = Resolver()
_TEXT: Final = "tag:yaml.org,2002:str"


def plain_value(text: str) -> Value:
    """What Kubernetes takes a plain scalar of that text for; a float only where JSON does not write it as an integer.

    Infinities and what is no number are given as they are, though JSON has neither.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _floating(text, text.replace("_", "")) if _AFTER_A_POINT.fullmatch(text) else text
    if text[0] not in "+-0123456789":
        return text
    digits = text.replace("_", "")
    integer = _integer(digits)
    if integer is not None:
        return integer
    return _floating(text, digits) if _FLOAT.fullmatch(digits) else text


def is_text(text: str) -> bool:
    """Whether a plain scalar of that text is that text, for Kubernetes and for readers that go by YAML 1.1 alone."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs
    return tag == _TEXT and plain_value(text) == text


def field_name(value: Value) -> str | None:
    """The name of a field whose name was read as that value; None for what Kubernetes refuses as a name."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | None:
            return value
        case _:
            return format(value, "g") if isinstance(value, float) else str(value)


def _integer(digits: str) -> int | None:
    for pattern, base in _INTEGERS:
        found = pattern.fullmatch(digits)
        if found is None:
            continue
        sign, number = found[1], found[2] or "0"
        if len(number) > _MOST_DIGITS:
            return None
        value = int(number, base) * (-1 if sign == "-" else 1)
        # What is larger than the signed ones has no sign: then it is read as an unsigned one.
        return value if _LEAST <= value <= (_MOST_SIGNED if sign == "+" else _MOST) else None
    return None


def _floating(text: str, digits: str) -> str | int | float:
    """A number that is no integer to YAML; one too large for a float stays text, and JSON writes 1.0 as 1."""
    value = float(digits)
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and _LEAST < value <= _MOST_SIGNED else value
