"""Turns the JSON schema of a pydantic model into the structural OpenAPI v3 schema of a CRD. Knows no kind."""

from typing import TypeAlias

from pydantic import BaseModel

from headgate.api.rules import VALIDATIONS

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Schema: TypeAlias = "dict[str, Json]"

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
)
_MERGED = (VALIDATIONS,)
_UNDERSTOOD = {*_KEPT, *_MERGED, "title", "const", "additionalProperties", "propertyNames"}


class SchemaError(TypeError):
    """A model holds something that a structural schema cannot say; the text names the field."""


def structural(model: type[BaseModel], *, defaults: bool) -> Schema:
    """The structural schema of a model; without ``defaults`` the server fills in nothing.

    Raises SchemaError for an unbounded string, list or map, a field without a description, or a union other than
    int-or-string or with None.
    """
    schema: Schema = model.model_json_schema(by_alias=True)
    definitions = _mapping(schema.pop("$defs", {}))
    return _Translation(definitions, defaults=defaults).translate(schema, model.__name__)


class _Translation:
    def __init__(self, definitions: Schema, *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def translate(self, schema: Schema, where: str) -> Schema:
        flat = self._flat(schema, where)
        result: Schema = {key: flat[key] for key in _KEPT if key in flat}
        if "description" in result:
            result["description"] = " ".join(str(result["description"]).split())
        self._settle_default(result)
        self._settle_type(result, flat, where)
        for key in _MERGED:
            if key in flat:
                result[key] = flat[key]
        return result

    def _flat(self, schema: Schema, where: str) -> Schema:
        """The schema with its references and its union with null resolved; what stands outside wins."""
        inner: Schema = {}
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            inner = self._flat(_mapping(self._definitions[name]), where)
        if "anyOf" in schema:
            some = [item for item in map(_mapping, _sequence(schema["anyOf"])) if item.get("type") != "null"]
            if len(some) != 1:
                raise SchemaError(f"{where}: a union of {len(some)} types is not structural")
            inner = self._flat(some[0], where)
        outer = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
        rules = [*_sequence(inner.get(VALIDATIONS, [])), *_sequence(outer.get(VALIDATIONS, []))]
        return {**inner, **outer, **({VALIDATIONS: rules} if rules else {})}

    def _settle_default(self, result: Schema) -> None:
        # A default of nothing, or of an empty list, says nothing that its absence does not.
        if "default" in result and (not self._defaults or result["default"] in (None, [], {})):
            del result["default"]

    def _settle_type(self, result: Schema, flat: Schema, where: str) -> None:
        if "const" in flat:
            result["enum"] = [flat["const"]]
        if "x-kubernetes-int-or-string" in flat:
            _require("maxLength" in flat, where, "maxLength")
            return
        match flat.get("type"):
            case "object":
                self._settle_object(result, flat, where)
            case "array":
                _require("maxItems" in flat, where, "maxItems")
                result.setdefault("x-kubernetes-list-type", "atomic")
                result["items"] = self.translate(_mapping(flat["items"]), f"{where}[]")
            case "string":
                _require("maxLength" in flat or "enum" in result, where, "maxLength")
            case "integer":
                result["format"] = "int64"
            case "boolean":
                pass
            case other:
                raise SchemaError(f"{where}: the type {other} is not structural")
        if unknown := sorted(flat.keys() - _UNDERSTOOD - {"items", "properties", "patternProperties"}):
            raise SchemaError(f"{where}: {unknown[0]} is not understood")

    def _settle_object(self, result: Schema, flat: Schema, where: str) -> None:
        if "properties" in flat:
            properties: Schema = {}
            for name, schema in _mapping(flat["properties"]).items():
                properties[name] = self.translate(_mapping(schema), f"{where}.{name}")
                _require("description" in _mapping(properties[name]), f"{where}.{name}", "description")
            result["properties"] = properties
            return
        _require("maxProperties" in flat, where, "maxProperties")
        # pydantic files a map's values under the pattern of its keys, which only CEL can hold them to.
        by_pattern = list(_mapping(flat.get("patternProperties", {})).values())
        values = by_pattern[0] if by_pattern else flat["additionalProperties"]
        result["additionalProperties"] = self.translate(_mapping(values), f"{where}{{}}")


def _require(given: bool, where: str, what: str) -> None:  # noqa: FBT001 - the condition is what the sentence is about
    if not given:
        raise SchemaError(f"{where}: has no {what}")


def _mapping(value: Json) -> Schema:
    if not isinstance(value, dict):
        raise SchemaError(f"{value!r} is no object")
    return value


def _sequence(value: Json) -> "list[Json]":
    if not isinstance(value, list):
        raise SchemaError(f"{value!r} is no list")
    return value
