"""Reads a file into documents, each refusal with its line. Knows no kind of object."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from headgate.cli.lint.composing import UnreadableError, roots
from headgate.cli.lint.document import Document, Mapped, Node, Scalar
from headgate.cli.lint.finding import Finding, Severity

MOST_BYTES = 4 * 2**20
"""The largest file that is read."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's name as it was given, and its bytes."""

    name: str
    content: bytes


def read(source: SourceFile) -> tuple[list[Document], list[Finding]]:
    """The documents of a file that hold an object, and why reading ended early or passed one over."""
    documents: list[Document] = []
    findings: list[Finding] = []
    try:
        documents.extend(_documents(source))
    except UnreadableError as error:
        findings.append(Finding(source.name, error.line, Severity.ERROR, error.what, error.why, error.fix))
    except yaml.YAMLError as error:
        findings.append(_not_yaml(source, error))
    return [item for document in documents for item in document.items()], findings


def _documents(source: SourceFile) -> Iterator[Document]:
    for root in roots(_text(source.content)):
        if not (isinstance(root, Scalar) and root.value is None):
            yield Document(source.name, _object(root))


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        what = f"the file is larger than {MOST_BYTES} bytes"
        raise UnreadableError(1, what, "no resource is", "split it into several files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(line, "the file is not UTF-8", "Kubernetes reads nothing else", "convert it") from None


def _object(root: Node) -> Mapped:
    if isinstance(root, Mapped):
        return root
    fix = "write apiVersion, kind and so on"
    raise UnreadableError(root.line, "the document is no object", "each holds one resource", fix)


def _not_yaml(source: SourceFile, error: yaml.YAMLError) -> Finding:
    problem, line, fix = str(error), 1, "correct the YAML"
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or error.context or "it cannot be read"
        mark = error.problem_mark or error.context_mark
        # The end of a file without a line end counts as a further line.
        line = min(mark.line, source.content.rstrip(b"\n").count(b"\n")) + 1 if mark is not None else 1
    if "cannot start any token" in problem:
        fix = "indent with blanks, not tabs, and quote text that begins with a sign"
    return Finding(source.name, line, Severity.ERROR, "the file is not YAML", problem, fix)
