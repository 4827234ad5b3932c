"""What pydantic's refusals of single values mean, in words for the person who wrote the value. Knows no file."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic_core import ErrorDetails

from headgate.cli.lint.finding import quoted

_WANTED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "string_type": ("a text", "put it in quotes"),
        "int_type": ("a whole number", "write one without quotes"),
        "int_from_float": ("a whole number", "write one without a fraction"),
        "bool_type": ("true or false", "write one of them without quotes"),
        "list_type": ("a list", "write its items, each behind a -"),
        "dict_type": ("a mapping", "write its fields, as name: value"),
        "model_type": ("a mapping", "write its fields, as name: value"),
        "model_attributes_type": ("a mapping", "write its fields, as name: value"),
    }
)


def refusal(error: ErrorDetails) -> tuple[str, str, str]:
    """What, why and fix of an error about one value."""
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    shown = _shown(given)
    if given is None and kind.endswith("_type"):
        return "has no value", "its name stands alone", "write a value, or remove the field"
    if kind in _WANTED:
        wanted, fix = _WANTED[kind]
        if kind == "string_type" and isinstance(given, dict | list):
            fix = "write one text"
        if kind == "int_type" and isinstance(given, float):
            fix = "write one without a fraction"
        return f"{shown} is not {wanted}", "the types are compared strictly", fix
    if kind in {"enum", "literal_error"}:
        choices = str(context.get("expected", "")).replace("'", "")
        what = f"{shown} is not one of {choices}"
        if isinstance(given, bool):
            return what, "YAML reads an unquoted On or Off as a boolean", "put it in quotes"
        return what, "", "write one of them"
    return _out_of_bounds(error, shown)


def _out_of_bounds(error: ErrorDetails, shown: str) -> tuple[str, str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "too_long":
            most = context.get("max_length")
            return f"has more than {most} items", "everything in a spec is bounded", f"write at most {most}"
        case "string_too_long":
            most = context.get("max_length")
            return f"has more than {most} characters", "everything in a spec is bounded", f"write at most {most}"
        case "too_short":
            least = context.get("min_length")
            return "has too few items", "", f"write at least {least}"
        case "string_too_short":
            return "is empty", "", "write a text"
        case "greater_than_equal":
            return f"{shown} is too small", "", f"write at least {context.get('ge')}"
        case "less_than_equal":
            return f"{shown} is too large", "", f"write at most {context.get('le')}"
        case _:
            return f"{shown} is not accepted", error["msg"], "correct it"


def _shown(given: object) -> str:
    match given:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return str(given).lower()
        case _:
            return quoted(given)
