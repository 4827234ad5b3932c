"""What a scalar of YAML means to Kubernetes: JSON's values, so that dates stay text. Knows no structure around it."""

import math
from collections.abc import Mapping
from typing import Final

from headgate.cli.plain_scalars import Value, plain_value

_PREFIX: Final = "tag:yaml.org,2002:"
_TEXT: Final = frozenset({"str", "timestamp", "merge", "value"})
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "null": (type(None),),
}


class ScalarError(ValueError):
    """The scalar has no value in JSON."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(what)
        self.parts = (what, why, fix)
        """What, why and fix."""


def scalar_value(text: str, tag: str | None, *, is_plain: bool) -> Value:
    """The value of a scalar: of a plain one by how it looks, of another by its tag, or else its text.

    Raises ScalarError for a tag of somebody's own, and for numbers that JSON does not have.
    """
    if not is_plain and tag in (None, "!"):
        return text
    kind = tag.removeprefix(_PREFIX) if tag is not None else ""
    if not is_plain and kind in _TEXT:
        return text
    value = plain_value(text)
    if not is_plain:
        kinds = _KINDS.get(kind)
        if kinds is None:
            raise ScalarError(
                f"the tag {tag} has no meaning here", "Kubernetes reads plain YAML", "write the value itself"
            )
        if type(value) not in kinds:
            raise ScalarError(f"{text!r} is no {kind}", "its tag says that it is", "correct one of them")
    if isinstance(value, float) and not math.isfinite(value):
        raise ScalarError(f"{text} is no number of JSON", "Kubernetes cannot keep it", "write a number")
    return value
