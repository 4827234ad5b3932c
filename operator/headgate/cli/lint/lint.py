"""Everything that can be known of files without a cluster: a pure function from their bytes to findings."""

from collections.abc import Iterable

from headgate.cli.lint.collection import collect
from headgate.cli.lint.document import Document
from headgate.cli.lint.finding import Finding, Severity
from headgate.cli.lint.gates import gate_findings
from headgate.cli.lint.prompts import prompt_findings
from headgate.cli.lint.reading import SourceFile, read
from headgate.cli.lint.references import reference_findings
from headgate.cli.lint.rollouts import rollout_findings


def lint(files: Iterable[SourceFile]) -> list[Finding]:
    """What is wrong in the files, taken together, by file in the given order and then by line."""
    order: dict[str, int] = {}
    documents: list[Document] = []
    findings: list[Finding] = []
    empty: list[str] = []
    for file in files:
        order.setdefault(file.name, len(order))
        read_documents, found = read(file)
        documents += read_documents
        findings += found
        if not read_documents and not found:
            empty.append(file.name)
    # One among others may be left over; when there is nothing at all, something was meant.
    severity = Severity.WARNING if documents else Severity.ERROR
    findings += [_nothing_in(name, severity) for name in empty]
    collection, found = collect(documents)
    findings += found
    findings += reference_findings(collection)
    for prompt in collection.prompts.values():
        findings += prompt_findings(prompt)
    for gate in collection.gates.values():
        findings += gate_findings(gate)
    for rollout in collection.rollouts.values():
        findings += rollout_findings(collection, rollout)
    return sorted(findings, key=lambda finding: (order[finding.file], finding.line, finding.severity))


def _nothing_in(file: str, severity: Severity) -> Finding:
    return Finding(file, 1, severity, "the file holds no object", "so nothing was checked", "name one that does")
