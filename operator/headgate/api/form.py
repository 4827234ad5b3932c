"""How a text must be formed: one pattern with words for it, for the models and the API server alike. Knows no field."""

import re
from dataclasses import dataclass

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

from headgate.api.rules import admitted_when


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern between ``^`` and ``$``, and what is said of a text that does not match it: "what; fix".

    A rule rather than the schema's own pattern, since the server's message about that says no more than the pattern.
    """

    pattern: str
    otherwise: str

    @property
    def check(self) -> AfterValidator:
        """The validator of a field of this form."""
        return AfterValidator(self._checked)

    @property
    def rule(self) -> FieldInfo:
        """The API server's rule for it."""
        # Annotated takes what Field returns, whose type says otherwise.
        field: FieldInfo = Field(json_schema_extra=admitted_when((f"self.matches(r'{self.pattern}')", self.otherwise)))
        return field

    def _checked(self, text: str) -> str:
        if re.fullmatch(self.pattern.removesuffix("$"), text) is None:
            shown = repr(text) if len(text) <= 60 else f"{text[:60]!r}..."
            raise ValueError(f"{shown} {self.otherwise}")
        return text
