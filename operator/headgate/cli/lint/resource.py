"""An object of ours in a file, with its spec as a model. Knows no other object."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from headgate.cli.lint.document import Document, Path
from headgate.cli.lint.finding import Finding, Severity

SpecT_co = TypeVar("SpecT_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[SpecT_co]):
    """A readable object and where it stands."""

    document: Document
    kind: str
    namespace: str | None
    """None where the file leaves it to the command that applies it."""
    name: str
    spec: SpecT_co

    @property
    def key(self) -> tuple[str | None, str]:
        """What others of its kind refer to it by."""
        return self.namespace, self.name

    def error(self, path: Path, what: str, why: str, fix: str) -> Finding:
        """A finding about the part of it that a path leads to."""
        return Finding(self.document.file, self.document.line(path), Severity.ERROR, what, why, fix)

    def warning(self, path: Path, what: str, why: str, fix: str) -> Finding:
        """A finding that fails nothing."""
        return Finding(self.document.file, self.document.line(path), Severity.WARNING, what, why, fix)


def written(path: Path) -> str:
    """A path as people write it, such as ``spec.steps[2].weight``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
