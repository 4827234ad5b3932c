"""The CustomResourceDefinitions, made from the models alone. Writes them, and knows nothing of a cluster."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel

from headgate.api.model import GROUP, VERSION
from headgate.api.prompt_version import PromptVersionSpec, PromptVersionStatus
from headgate.api.quality_gate import QualityGateSpec, QualityGateStatus
from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import RolloutStatus
from headgate.api.schema import Json, Schema, structural

CATEGORY = "headgate"
LONGEST_ROLLOUT_NAME = 63
"""Characters: ConfigMaps and labels are named after a Rollout and something else."""
LONGEST_NAME = 200
"""Characters of the other kinds' names: a ConfigMap is named after one with an ending."""

_HEADER = "# Generated from the models in operator/headgate/api by `make crds`. Do not edit.\n"
_READY = '.status.conditions[?(@.type=="Ready")]'


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False

    def document(self) -> Schema:
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
            **({"priority": 1} if self.wide else {}),
        }


_AGE = _Column("Age", ".metadata.creationTimestamp", "When it was created.", "date")


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str
    short_name: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel]
    longest_name: int
    columns: tuple[_Column, ...]

    @property
    def plural(self) -> str:
        return f"{self.kind.lower()}s"


_KINDS = (
    _Kind(
        "PromptVersion",
        "pver",
        "One immutable, digested version of a prompt with its model and settings.",
        PromptVersionSpec,
        PromptVersionStatus,
        LONGEST_NAME,
        (
            _Column("Family", ".spec.family", "The prompt that it is a version of."),
            _Column("Stage", ".status.stage", "How far it has come."),
            _Column("Digest", ".status.digest", "sha256 of its spec."),
            _Column("Model", ".spec.model.name", "The model that answers.", wide=True),
            _Column("Ready", f"{_READY}.status", "Whether it can be released.", wide=True),
            _AGE,
        ),
    ),
    _Kind(
        "QualityGate",
        "qg",
        "Checks that a candidate must pass, as queries with bounds.",
        QualityGateSpec,
        QualityGateStatus,
        LONGEST_NAME,
        (
            _Column("Ready", f"{_READY}.status", "Whether Rollouts can be judged by it."),
            _Column("Source", ".spec.source", "The Prometheus that is asked."),
            _Column("Period", ".spec.period", "How often it is asked."),
            _Column("Message", f"{_READY}.message", "Why it is not Ready.", wide=True),
            _AGE,
        ),
    ),
    _Kind(
        "Rollout",
        "hgr",
        "What is released, through which routers, in which steps and under which gates.",
        RolloutSpec,
        RolloutStatus,
        LONGEST_ROLLOUT_NAME,
        (
            _Column("Phase", ".status.phase", "Where it stands."),
            _Column("Weight", ".status.weight", "The candidate's share, in %.", "integer"),
            _Column("Step", ".status.attempt.step.name", "The step that the attempt is in."),
            _Column("Stable", ".status.stable.version", "The last good version."),
            _Column("Candidate", ".status.attempt.candidate.version", "The version that is tried, or was last."),
            _Column("Reason", ".status.attempt.reason", "Why it is where it is.", wide=True),
            _Column("Message", f"{_READY}.message", "What it waits for.", wide=True),
            _AGE,
        ),
    ),
)


def documents() -> list[Schema]:
    """The CRDs of all kinds, in the order of their names, with their keys in the order that people read them."""
    return [_document(kind) for kind in _KINDS]


def files() -> dict[str, str]:
    """The text of each CRD's file, by the file's name."""
    return {
        f"{GROUP}_{kind.plural}.yaml": _HEADER
        + yaml.safe_dump(_document(kind), sort_keys=False, width=120, allow_unicode=True)
        for kind in _KINDS
    }


def write(directory: Path) -> list[Path]:
    """Writes one file per kind into a directory, which is made when missing. Returns the files. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in files().items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _document(kind: _Kind) -> Schema:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [column.document() for column in kind.columns],
                    "schema": {"openAPIV3Schema": _schema(kind)},
                }
            ],
        },
    }


def _schema(kind: _Kind) -> Schema:
    # The bound on the name stands here and not in a rule: a rule at the root is run at every write of the status.
    name: Json = {"type": "string", "maxLength": kind.longest_name}
    return {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of the schema that the object is written in."},
            "kind": {"type": "string", "description": "The kind of the object."},
            "metadata": {"type": "object", "properties": {"name": name}},
            "spec": structural(kind.spec, defaults=True),
            "status": structural(kind.status, defaults=False),
        },
    }
