"""Which object a document is: apiVersion, kind, metadata. Passes over quietly what is not ours. Knows no spec."""

import re
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from headgate.api.crds import LONGEST_NAME, LONGEST_ROLLOUT_NAME
from headgate.api.model import API_VERSION, GROUP
from headgate.api.quantities import ObjectName
from headgate.cli.lint.document import Document, Mapped, Path
from headgate.cli.lint.fields import closest
from headgate.cli.lint.finding import Finding, Severity, quoted

LONGEST_NAMES = {"Rollout": LONGEST_ROLLOUT_NAME, "QualityGate": LONGEST_NAME, "PromptVersion": LONGEST_NAME}
_TOP_LEVEL = ["apiVersion", "kind", "metadata", "spec", "status"]
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OBJECT_NAME = TypeAdapter[str](ObjectName)


@dataclass(frozen=True, slots=True)
class Identity:
    """The kind, namespace and name of one of our objects."""

    kind: str
    namespace: str | None
    name: str


def identify(document: Document) -> tuple[Identity | None, list[Finding]]:
    """Which of our objects a document is; None for another's, and for one that cannot be told."""
    kind, api_version = document.text(("kind",)), document.text(("apiVersion",))
    if kind is None or api_version is None:
        field = "kind" if kind is None else "apiVersion"
        return None, [_error(document, (), f"{field} is missing", "every object says what it is", f"add {field}")]
    group, _, _ = api_version.rpartition("/")
    if group != GROUP:
        meant = f"write {API_VERSION}"
        if kind in LONGEST_NAMES and closest(group, [GROUP]):
            return None, [_error(document, ("apiVersion",), f"{quoted(api_version)} is no group of ours", "", meant)]
        return None, []
    if api_version != API_VERSION:
        return None, [
            _error(document, ("apiVersion",), f"{quoted(api_version)} is not served", "", f"write {API_VERSION}")
        ]
    if kind not in LONGEST_NAMES:
        close = closest(kind, list(LONGEST_NAMES))
        fix = f"did you mean {close}?" if close else f"use {', '.join(LONGEST_NAMES)}"
        return None, [_error(document, ("kind",), f"{GROUP} has no kind {quoted(kind)}", "", fix)]
    return _named(document, kind)


def _named(document: Document, kind: str) -> tuple[Identity | None, list[Finding]]:
    findings = [_unknown(document, field) for field in document.root.fields if field not in _TOP_LEVEL]
    metadata = document.node(("metadata",))
    name, namespace = document.text(("metadata", "name")), document.text(("metadata", "namespace"))
    if not isinstance(metadata, Mapped) or name is None:
        fix = "add metadata: {name: ...}, in quotes if it looks like a number"
        findings.append(_error(document, ("metadata", "name"), "metadata.name is missing", "", fix))
        return None, findings
    at = ("metadata", "name")
    if len(name) > LONGEST_NAMES[kind]:
        why = "other objects are named after it"
        fix = f"use at most {LONGEST_NAMES[kind]}"
        findings.append(_error(document, at, f"metadata.name has {len(name)} characters", why, fix))
    elif not _is_object_name(name):
        what = f"metadata.name: {quoted(name)} is no name of an object"
        fix = "write lower-case letters, digits, - and ."
        findings.append(_error(document, at, what, "Kubernetes refuses it", fix))
    if namespace is not None and not _NAMESPACE.fullmatch(namespace):
        what = f"metadata.namespace: {quoted(namespace)} is no name of a namespace"
        fix = "write lower-case letters, digits and -"
        findings.append(_error(document, ("metadata", "namespace"), what, "Kubernetes refuses it", fix))
    return Identity(kind, namespace, name), findings


def _unknown(document: Document, field: str) -> Finding:
    meant = closest(field, _TOP_LEVEL)
    fix = f"did you mean {meant}?" if meant else f"use {', '.join(_TOP_LEVEL)}"
    return _error(document, (field,), f"{quoted(field)} is an unknown field", "it would be dropped", fix)


def _is_object_name(name: str) -> bool:
    try:
        _OBJECT_NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _error(document: Document, path: Path, what: str, why: str, fix: str) -> Finding:
    return Finding(document.file, document.line(path), Severity.ERROR, what, why, fix)
