"""PromptVersion: one immutable, digested version of a prompt with its model and settings. Knows no Rollout."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from headgate.api.conditions import KEYED_BY_TYPE, Condition
from headgate.api.form import Form
from headgate.api.model import SpecModel, StatusModel
from headgate.api.quantities import ShortName
from headgate.api.rules import admitted_when, first_twice, unique

Text = Annotated[str, StringConstraints(max_length=1024)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_DECIMAL = Form(r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$", 'is no number; write one in quotes, like "0.7"')
_COMMIT = Form(r"^[0-9a-f]{7,64}$", "is no commit; write 7 to 64 digits of its hash")
Decimal = Annotated[str, StringConstraints(max_length=24), _DECIMAL.check, _DECIMAL.rule]


_CRITERIA_RULES = admitted_when(
    (
        "size(self) == 0 || self.map(c, c.weight).sum() == 100",
        "the weights of the criteria do not add up to 100; change them until they do",
    ),
    (unique("@.name"), "two criteria have the same name; give each its own"),
)
_VARIABLES_RULES = admitted_when((unique("@"), "a variable stands twice; name each once"))


class Model(SpecModel):
    """The model that answers."""

    provider: Identifier
    """Who serves the model, such as openai."""
    name: Identifier
    """The model's name, as its provider calls it."""
    version: Identifier | None = None
    """The provider's dated version or revision of the model; pins what would otherwise drift."""


class Parameters(SpecModel):
    """Sampling settings. Decimals are strings: a spec holds no floats."""

    temperature: Decimal | None = None
    """Sampling temperature."""
    top_p: Decimal | None = None
    """Nucleus sampling: the probability mass that is kept."""
    seed: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """The seed for deterministic sampling, where the provider honours one."""
    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """The most tokens that an answer may have."""
    stop: Annotated[list[Annotated[str, StringConstraints(max_length=256)]], Field(max_length=16)] | None = None
    """Sequences at which the answer stops."""


class Message(SpecModel):
    """One message of the prompt."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    """Who speaks."""
    content: Annotated[str, StringConstraints(max_length=200_000)]
    """The text, with {{variables}}."""


class Criterion(SpecModel):
    """One weighted criterion by which answers are judged."""

    name: ShortName
    """The criterion's name."""
    weight: Annotated[int, Field(ge=0, le=100)]
    """Its weight in %; all criteria together are exactly 100."""
    description: Text | None = None
    """What a judge looks for."""


class Retrieval(SpecModel):
    """How context is retrieved."""

    index: Identifier | None = None
    """The index or collection that is searched."""
    embedding_model: Identifier | None = None
    """The model that embeds queries."""
    top_k: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many passages are fetched."""
    min_score: Decimal | None = None
    """The least score at which a passage is kept."""
    hybrid: bool | None = None
    """Whether lexical search is mixed in."""


class Rerank(SpecModel):
    """How retrieved passages are reordered."""

    model: Identifier | None = None
    """The reranking model."""
    top_n: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """How many passages are kept."""


class Origin(SpecModel):
    """Where this version comes from."""

    registry: Identifier | None = None
    """The prompt registry, or repository, that it was exported from."""
    commit: Annotated[str, StringConstraints(max_length=64), _COMMIT.check, _COMMIT.rule] | None = None
    """The commit there."""


class PromptVersionSpec(SpecModel):
    """What this version is. Immutable once created; nothing is defaulted, so the digest covers what was written."""

    model_config = ConfigDict(
        json_schema_extra=admitted_when(
            (
                "self == oldSelf",
                "spec is immutable; create a PromptVersion of another name and point the Rollout at it",
            ),
        )
    )

    family: ShortName
    """The prompt that this is a version of. A Rollout only moves between versions of one family."""
    model: Model
    """The model that answers."""
    parameters: Parameters | None = None
    """Sampling settings."""
    messages: Annotated[list[Message], Field(min_length=1, max_length=64)]
    """The prompt itself."""
    variables: Annotated[list[ShortName], Field(max_length=128, json_schema_extra=_VARIABLES_RULES)] | None = None
    """The names of the {{variables}} that the application fills in."""
    few_shot: Annotated[list[Identifier], Field(max_length=256)] | None = None
    """Ids of the few-shot examples that are added, in order."""
    output_schema: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    """A JSON schema, as JSON text, that answers must satisfy."""
    criteria: Annotated[list[Criterion], Field(max_length=64, json_schema_extra=_CRITERIA_RULES)] | None = None
    """Weighted criteria of a judge; the weights add up to exactly 100."""
    retrieval: Retrieval | None = None
    """Retrieval settings."""
    rerank: Rerank | None = None
    """Rerank settings."""
    ingest_run_id: Identifier | None = None
    """The ingestion run whose documents this version answers from."""
    config_hash: Identifier | None = None
    """A hash of the application configuration that belongs to this version."""
    origin: Origin | None = None
    """Where this version comes from."""

    @model_validator(mode="after")
    def _criteria_add_up(self) -> "PromptVersionSpec":
        if self.criteria and (total := sum(criterion.weight for criterion in self.criteria)) != 100:
            raise ValueError(f"criteria: the weights add up to {total}, not 100; change them until they do")
        if twice := first_twice(criterion.name for criterion in self.criteria or ()):
            raise ValueError(f"criteria: the name {twice!r} stands twice; give each criterion its own")
        if twice := first_twice(self.variables or ()):
            raise ValueError(f"variables: {twice!r} stands twice; name each variable once")
        return self

    @field_validator("output_schema")
    @classmethod
    def _is_a_schema(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                schema = json.loads(text)
            except (ValueError, RecursionError):
                raise ValueError("the text is no JSON; answers are checked against it; write a JSON schema") from None
            if not isinstance(schema, dict):
                raise ValueError("the JSON is no object; answers are checked against it; write a JSON schema")
        return text

    def digest(self) -> str:
        """``sha256:`` and the hex SHA-256 of the spec's canonical JSON (sorted keys, no spaces, UTF-8, as written)."""
        written = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        text = json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class Stage(StrEnum):
    """How far a version has come, derived from where Rollouts have it."""

    DRAFT = "Draft"
    INTERNAL_TEST = "InternalTest"
    CUSTOMER_BETA = "CustomerBeta"
    STABLE = "Stable"
    DEPRECATED = "Deprecated"


class Compiled(StatusModel):
    """Where the compiled prompt is."""

    config_map: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """The immutable ConfigMap that holds the prompt as the application reads it."""


class PromptVersionStatus(StatusModel):
    """What headgate made of this version."""

    observed_generation: int | None = None
    """The generation of the spec that this status speaks of."""
    digest: Annotated[str, StringConstraints(max_length=80)] | None = None
    """sha256 of the spec's canonical JSON."""
    compiled: Compiled | None = None
    """Where the compiled prompt is."""
    stage: Stage | None = None
    """How far this version has come: Draft, InternalTest, CustomerBeta, Stable, Deprecated."""
    conditions: Annotated[list[Condition], Field(max_length=8, json_schema_extra=KEYED_BY_TYPE)] = []
    """Ready."""
