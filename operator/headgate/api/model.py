"""How headgate's pydantic models read and write Kubernetes' camelCase, frozen and strict. Knows no resource."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

GROUP = "headgate.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

_NEVER_ASKED: set[str] = set()


class SpecModel(BaseModel):
    """A part of a spec: what a person wrote. Unknown fields are refused by name."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


class StatusModel(BaseModel):
    """A part of a status: what headgate wrote. Fields of a newer release are ignored, so that a downgrade works."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401, ARG002  # pydantic's own signature
        """Forgets which fields were given: of a status nobody asks it, and the sets would take half of its memory."""
        object.__setattr__(self, "__pydantic_fields_set__", _NEVER_ASKED)
