"""The second subject: an object of any kind whose own fields are the release, and the field that carries its weight."""

import re
from enum import StrEnum
from itertools import permutations
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from headgate.api.form import Form
from headgate.api.model import SpecModel
from headgate.api.quantities import ObjectName
from headgate.api.rules import admitted_when

KSERVE = "serving.kserve.io"
"""The group whose weights have a meaning of their own."""
_SEGMENT = "[a-zA-Z_][-_a-zA-Z0-9]{0,62}"
_PATH = rf"^{_SEGMENT}([.]{_SEGMENT}){{0,15}}$"
_API_VERSION = r"^[a-z0-9]([-a-z0-9.]{0,99}[a-z0-9])?/v[0-9][a-z0-9]{0,20}$"
_OURS_NEVER = ("metadata", "status", "apiVersion", "kind")
_HAS_INDEX = r"(\[|(^|[.])[0-9]+([.]|$))"

_NO_INDEX = "holds a list's index; lists are not supported by this release; declare the field that holds the list"
_NO_PATH = "is not a field's path; names stand between dots; write spec.predictor.model.storageUri"
_NEVER = "is not a release; metadata, status, apiVersion and kind are never touched; name a field of the spec"
_NO_API_VERSION = (
    "is not a group and a version; the core group's kinds are never targets; write serving.kserve.io/v1beta1"
)


def _checked_path(path: str) -> str:
    if re.search(_HAS_INDEX, path):
        raise ValueError(f"{path!r} {_NO_INDEX}")
    if not re.fullmatch(_PATH, path):
        raise ValueError(f"{path!r} {_NO_PATH}")
    if path.split(".", 1)[0] in _OURS_NEVER:
        raise ValueError(f"{path!r} {_NEVER}")
    return path


def _checked_api_version(text: str) -> str:
    if not re.fullmatch(_API_VERSION, text):
        raise ValueError(f"{text!r} {_NO_API_VERSION}")
    return text


FieldPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253),
    AfterValidator(_checked_path),
    Field(
        json_schema_extra=admitted_when(
            (f"!self.matches(r'{_HAS_INDEX}')", _NO_INDEX),
            (f"self.matches(r'{_HAS_INDEX}') || self.matches('{_PATH}')", _NO_PATH),
            (f"!self.matches('^({'|'.join(_OURS_NEVER)})([.]|$)')", _NEVER),
        )
    ),
]
"""Where a field stands in an object: spec.predictor.model.storageUri. No list's index."""

ApiVersion = Annotated[
    str,
    StringConstraints(min_length=1, max_length=125),
    AfterValidator(_checked_api_version),
    Field(json_schema_extra=admitted_when((f"self.matches('{_API_VERSION}')", _NO_API_VERSION))),
]
"""``group/version``; the core group has none and is never meant."""

_KIND = Form(r"^[A-Z][a-zA-Z0-9]*$", "is no kind; write one such as InferenceService")
KindName = Annotated[str, StringConstraints(min_length=1, max_length=63), _KIND.check, _KIND.rule]


def holds(outer: str, inner: str) -> bool:
    """Whether the field at ``inner`` is the one at ``outer`` or stands in it."""
    return inner == outer or inner.startswith(f"{outer}.")


_FIELDS_RULES = admitted_when(
    (
        "self.all(a, self.exists_one(b, a == b || a.startsWith(b + '.')))",
        "one field is another, or stands in it; each is snapshotted once; remove it",
    )
)


class Exposure(StrEnum):
    """What an edit of the target does before headgate has seen it."""

    IMMEDIATE = "Immediate"


class ObjectReference(SpecModel):
    """An object of this namespace, of a kind that the operator's configuration allows."""

    api_version: ApiVersion
    """The group and version of its kind."""
    kind: KindName
    """Its kind."""
    name: ObjectName
    """Its name."""

    def is_same(self, other: "ObjectReference") -> bool:
        """Whether both name the same object, be it through two versions of its kind's group."""
        return (self.api_version.split("/")[0], self.kind, self.name) == (
            other.api_version.split("/")[0],
            other.kind,
            other.name,
        )


class TargetSubject(ObjectReference):
    """An object whose declared fields are the release: editing them is what starts an attempt."""

    fields: Annotated[list[FieldPath], Field(min_length=1, max_length=16, json_schema_extra=_FIELDS_RULES)]
    """What is versioned, snapshotted and restored. Nothing else of it is touched."""
    exposure: Exposure | None = None
    """Immediate accepts that an edit reaches everybody at once, where no delivery writes a weight into the target."""

    @model_validator(mode="after")
    def _fields_apart(self) -> "TargetSubject":
        for one, other in permutations(self.fields, 2):
            if holds(other, one):
                raise ValueError(
                    f"fields: {one!r} is {other!r}, or stands in it; each is snapshotted once; remove {one!r}"
                )
        return self


def splits(target: ObjectReference, weight: str, path: str) -> bool:
    """Whether a weight at one path of an object is one between contents of a field at another.

    KServe makes revisions of each component, spec.predictor and the like, and splits between those of one alone.
    """
    if not target.api_version.startswith(f"{KSERVE}/"):
        return True
    return path.startswith(".".join(weight.split(".")[:2]) + ".")


class FieldDelivery(SpecModel):
    """A field of an object that holds the candidate's share in %: 0 at rest, the step's weight in an attempt."""

    path: FieldPath
    """Where the weight is written, as a whole number. It is created where it is missing."""
    target: ObjectReference | None = None
    """The object that holds the field; spec.target when not given."""
