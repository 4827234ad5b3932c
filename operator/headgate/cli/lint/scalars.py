"""What a scalar of YAML means to Kubernetes: JSON's values, so that dates stay text. Knows no structure around it."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

_PREFIX: Final = "tag:yaml.org,2002:"
_TEXT: Final = frozenset({"str", "timestamp", "merge", "value"})
_RESOLVER: Final = Resolver()
_CONSTRUCTOR: Final = SafeConstructor()
_CONSTRUCTORS: Final[Mapping[str, Callable[[yaml.ScalarNode], bool | int | float]]] = {
    "bool": _CONSTRUCTOR.construct_yaml_bool,
    "int": _CONSTRUCTOR.construct_yaml_int,
    "float": _CONSTRUCTOR.construct_yaml_float,
}
_NUMBERS: Final = frozenset({"int", "float"})
_LONGEST_NUMBER: Final = 40


class ScalarError(ValueError):
    """The scalar has no value in JSON."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what)
        self.parts = (what, why, fix)
        """What, why and fix."""


def scalar_value(text: str, tag: str | None, *, is_plain: bool) -> str | int | float | bool | None:
    """The value of a scalar: of a plain one by how it looks, of another by its tag, or else its text.

    Raises ScalarError for a tag of somebody's own, and for numbers that JSON does not have.
    """
    if is_plain:
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs
    if tag is None or tag == "!":
        return text
    kind = tag.removeprefix(_PREFIX)
    if kind in _TEXT or (kind in _NUMBERS and (len(text) > _LONGEST_NUMBER or ":" in text)):
        return text
    if kind == "null":
        return None
    construct = _CONSTRUCTORS.get(kind)
    if construct is None:
        raise ScalarError(f"the tag {tag} has no meaning here", "Kubernetes reads plain YAML", "write the value itself")
    try:
        value = construct(yaml.ScalarNode(tag, text))
    except (ValueError, KeyError):
        raise ScalarError(f"{text!r} is no {kind}", "its tag says that it is", "correct one of them") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ScalarError(f"{text} is no number of JSON", "Kubernetes cannot keep it", "write a number")
    return value
