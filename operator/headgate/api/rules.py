"""Rules that the API server itself enforces (CEL), written beside the validators of the models. Knows no model."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

from pydantic.config import JsonDict

VALIDATIONS: Final = "x-kubernetes-validations"

POSITIVE_DURATION: Final = "self.matches('[1-9]')"
"""A duration of more than nothing."""

AT_LEAST_A_SECOND: Final = "self.matches('[1-9][0-9]*([ywdhs]|m[0-9]|m$)') || self.matches('[1-9][0-9]{3,}ms')"
"""A duration of 1s or more: some unit that is no millisecond, or a thousand of those."""


def unique(label: str) -> str:
    """The CEL rule of a list whose items differ in one label; in it, ``@`` stands for the item."""
    return f"self.all(a, self.exists_one(b, {label.replace('@', 'a')} == {label.replace('@', 'b')}))"


def admitted_when(*rules: tuple[str, str]) -> JsonDict:
    """The JSON schema's extension for pairs of a CEL expression over ``self`` and the message of its refusal.

    A message reads "what; why; fix" (or "what; fix") in one line, as the messages of the models' validators do.
    """
    return {VALIDATIONS: [{"rule": expression, "message": message} for expression, message in rules]}


_Label = TypeVar("_Label", bound=Hashable)


def first_twice(labels: Iterable[_Label]) -> _Label | None:
    """The first label that stands more than once; None when all differ. What `unique` says, for a validator."""
    return next((label for label, count in Counter(labels).items() if count > 1), None)
