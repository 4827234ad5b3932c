"""The committed CRDs are those of the models, and their schemas are structural and bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import Field, StringConstraints

from headgate.api import crds
from headgate.api.model import SpecModel
from headgate.api.schema import SchemaError, structural
from tests.api.documents import EXAMPLES, REPOSITORY


def _schemas(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield where, schema
    for name, inside in schema.get("properties", {}).items():
        yield from _schemas(inside, f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from _schemas(schema[key], f"{where}[]")


def _every_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    for document in crds.documents():
        spec: Any = document["spec"]
        yield from _schemas(spec["versions"][0]["schema"]["openAPIV3Schema"], spec["names"]["kind"])


def test_the_committed_crds_are_those_of_the_models() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in (REPOSITORY / "crds").glob("*")}
    assert committed == crds.files(), "run `make crds`"


def test_writing_gives_one_file_per_kind(tmp_path: Path) -> None:
    written = crds.write(tmp_path / "new" / "directory")
    assert [path.name for path in written] == [
        "headgate.dev_promptversions.yaml",
        "headgate.dev_qualitygates.yaml",
        "headgate.dev_rollouts.yaml",
    ]
    assert [yaml.safe_load(path.read_text()) for path in written] == crds.documents()


def test_the_examples_are_those_of_the_design() -> None:
    shared = REPOSITORY.parent / "shared" / "examples"
    if not shared.is_dir():
        pytest.skip("the design is not beside this checkout")
    for path in EXAMPLES.glob("*.yaml"):
        assert path.read_bytes() == (shared / path.name).read_bytes()


def test_everything_is_bounded() -> None:
    for where, schema in _every_schema():
        if where.count(".") < 1 or where.split(".")[1] in ("apiVersion", "kind", "metadata"):
            continue
        if schema.get("x-kubernetes-int-or-string"):
            assert "maxLength" in schema, where
            continue
        match schema["type"]:
            case "string":
                assert "maxLength" in schema or "enum" in schema, where
            case "array":
                assert "maxItems" in schema, where
            case "object" if "properties" not in schema:
                assert "maxProperties" in schema, where


def test_no_rule_is_run_at_every_write_of_the_status() -> None:
    for where, schema in _every_schema():
        if "." not in where or ".status" in where:
            assert "x-kubernetes-validations" not in schema, where


def test_messages_are_one_line_and_say_the_fix() -> None:
    rules = [rule for _, schema in _every_schema() for rule in schema.get("x-kubernetes-validations", [])]
    assert len(rules) > 20
    for rule in rules:
        assert "; " in rule["message"]
        assert "\n" not in rule["message"]


def test_lists_say_how_they_are_merged() -> None:
    for where, schema in _every_schema():
        if schema.get("type") == "array":
            expected = "map" if where.endswith(".conditions") else "atomic"
            assert schema["x-kubernetes-list-type"] == expected, where


class _Unbounded(SpecModel):
    name: str
    """A name."""


class _UnboundedList(SpecModel):
    names: list[Literal["a"]]
    """Names."""


class _Silent(SpecModel):
    count: int


class _Union(SpecModel):
    either: Annotated[str, StringConstraints(max_length=3)] | bool
    """Either."""


class _Float(SpecModel):
    share: Annotated[float, Field(ge=0)]
    """A share."""


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (_Unbounded, "_Unbounded.name: has no maxLength"),
        (_UnboundedList, "_UnboundedList.names: has no maxItems"),
        (_Silent, "_Silent.count: has no description"),
        (_Union, "_Union.either: a union of 2 types"),
        (_Float, "_Float.share: the type number"),
    ],
)
def test_a_model_that_cannot_be_a_structural_schema_is_refused_by_its_field(model: type[SpecModel], why: str) -> None:
    with pytest.raises(SchemaError, match=why):
        structural(model, defaults=True)
