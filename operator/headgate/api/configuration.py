"""The operator's own configuration file. Strict: an unknown key is an error; secrets are only named as files."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from headgate.api.model import SpecModel
from headgate.api.quantities import Duration, ShortName, seconds

Url = Annotated[str, StringConstraints(min_length=8, max_length=2048, pattern=r"^https?://[^\s]+$")]
Path = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
LabelName = Annotated[str, StringConstraints(max_length=128, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class Source(SpecModel):
    """A Prometheus that QualityGates may name."""

    name: ShortName
    """What gates call it."""
    url: Url
    """Its address."""
    timeout: Duration = "10s"
    """How long an answer may take."""
    namespaces: list[str] = []
    """Who may use it; empty: every namespace."""
    enforce_label: LabelName | None = None
    """A label whose matcher, with the Rollout's namespace, is put into every query."""
    bearer_token_file: Path | None = None
    """A file with the token that it is asked with; never the pod's own."""
    ca_file: Path | None = None
    """A file with the authority that signed its certificate."""

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, timeout: str) -> str:
        if not 0.1 <= seconds(timeout) <= 120:
            raise ValueError(f"timeout: {timeout} is not between 100ms and 2m")
        return timeout


class Configuration(SpecModel):
    """The whole file; every key is optional."""

    sources: Annotated[list[Source], Field(max_length=64)] = []
    """The Prometheus servers that gates may name."""

    @field_validator("sources")
    @classmethod
    def _distinct(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError("sources: two have the same name")
        return sources

    def source(self, name: str) -> Source | None:
        """The source of that name."""
        return next((source for source in self.sources if source.name == name), None)
