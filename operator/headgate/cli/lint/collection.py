"""All readable objects of the given files, by kind and by what refers to them. Knows no rule between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from headgate.api.prompt_version import PromptVersionSpec
from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import RolloutSpec
from headgate.cli.lint.document import Document
from headgate.cli.lint.fields import read_spec
from headgate.cli.lint.finding import Finding, Severity
from headgate.cli.lint.identity import Identity, identify
from headgate.cli.lint.resource import Resource

ModelT = TypeVar("ModelT", bound=BaseModel)
Key = tuple[str | None, str]


@dataclass(slots=True)
class Collection:
    """The objects that could be read, and the names of those that are there and could not."""

    prompts: dict[Key, Resource[PromptVersionSpec]] = field(default_factory=dict)
    gates: dict[Key, Resource[QualityGateSpec]] = field(default_factory=dict)
    rollouts: dict[Key, Resource[RolloutSpec]] = field(default_factory=dict)
    named: dict[Identity, Document] = field(default_factory=dict)
    """Every object of ours, readable or not, with the document that was first."""

    def has(self, kind: str, key: Key) -> bool:
        """Whether the files hold such an object, readable or not."""
        return Identity(kind, *key) in self.named


def collect(documents: Iterable[Document]) -> tuple[Collection, list[Finding]]:
    """The objects of documents, and what is wrong with each by itself."""
    collection = Collection()
    findings: list[Finding] = []
    for document in documents:
        identity, found = identify(document)
        findings += found
        if identity is not None:
            findings += _add(collection, identity, document)
    return collection, findings


def _add(collection: Collection, identity: Identity, document: Document) -> Iterator[Finding]:
    first = collection.named.setdefault(identity, document)
    if first is not document:
        yield Finding(
            document.file,
            document.line(("metadata", "name")),
            Severity.ERROR,
            f"{identity.kind} {identity.name} is written twice",
            f"also in {first.file}:{first.line(('metadata', 'name'))}, and the later would win",
            "remove one of them",
        )
        return
    match identity.kind:
        case "PromptVersion":
            yield from _read(identity, document, PromptVersionSpec, collection.prompts)
        case "QualityGate":
            yield from _read(identity, document, QualityGateSpec, collection.gates)
        case _:
            yield from _read(identity, document, RolloutSpec, collection.rollouts)


def _read(
    identity: Identity, document: Document, model: type[ModelT], into: dict[Key, Resource[ModelT]]
) -> list[Finding]:
    spec, findings = read_spec(document, model)
    if spec is not None:
        resource = Resource(document, identity.kind, identity.namespace, identity.name, spec)
        into[resource.key] = resource
    return findings
