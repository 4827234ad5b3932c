"""One thing to say about a line of a file. Knows not how it was found."""

from dataclasses import dataclass
from enum import StrEnum

from headgate.cli.safe_text import one_line


class Severity(StrEnum):
    """Whether a finding fails the run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a line, why, and what to do about it."""

    file: str
    line: int
    """Counted from 1."""
    severity: Severity
    what: str
    why: str
    """Empty where the fix says it all."""
    fix: str

    def text(self) -> str:
        """``FILE:LINE: what, why, fix`` in one line, which no file's content can break."""
        mark = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        parts = ", ".join(_short(part) for part in (self.what, self.why, self.fix) if part)
        return one_line(f"{self.file}:{self.line}: {mark}{parts}")

    def document(self) -> dict[str, str | int]:
        """The finding as one JSON object."""
        return {
            "file": self.file,
            "line": self.line,
            "severity": self.severity.value,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
        }


def quoted(value: object) -> str:
    """A value of a file as a message shows it: short, and recognisable as text or not."""
    return _short(repr(value), 80)


def _short(text: str, longest: int = 400) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


def parts_of(message: str) -> tuple[str, str, str]:
    """What, why and fix of a message whose parts stand between semicolons; one without a why has two."""
    match message.split("; "):
        case [what]:
            return what, "", ""
        case [what, fix]:
            return what, "", fix
        case [what, *why, fix]:
            return what, "; ".join(why), fix
        case _:
            return message, "", ""
