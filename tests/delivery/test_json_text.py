"""Editing a JSON text in place: what is not ours stays as its author wrote it, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.cluster.objects import JsonValue
from headgate.delivery import flagd_document, json_text
from headgate.delivery.flagd import flag
from headgate.delivery.json_text import ObjectText
from tests.delivery.releases import FLAG, routing


def put_flag(text: str, name: str, value: JsonValue) -> str:
    return ObjectText.read(text, "flags").with_member(name, value).text


OURS = flag(routing(10), FLAG, {})
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
FLAGS = st.dictionaries(st.text().filter(lambda name: name != "reply"), VALUES, max_size=4)
DOCUMENTS = st.builds(
    lambda beside, flags: {**beside, "flags": flags},
    st.dictionaries(st.text().filter(lambda name: name != "flags"), VALUES, max_size=4),
    FLAGS,
)
STYLES: list[dict[str, Any]] = [{}, {"indent": 2}, {"indent": 4}, {"indent": "\t"}, {"separators": (",", ":")}]


@given(document=DOCUMENTS, style=st.sampled_from(STYLES), ascii_only=st.booleans(), there=st.booleans())
def test_putting_a_flag_changes_nothing_else(
    document: dict[str, Any], style: dict[str, Any], ascii_only: bool, there: bool
) -> None:
    if there:
        document = {**document, "flags": {**document["flags"], "reply": {"old": True}}}
    text = json.dumps(document, ensure_ascii=ascii_only, **style)
    put = put_flag(text, "reply", OURS)
    read = json.loads(put)
    assert read["flags"].pop("reply") == OURS
    before = json.loads(text)
    before["flags"].pop("reply", None)
    assert read == before
    assert list(json.loads(put)) == list(json.loads(text))
    assert put_flag(put, "reply", OURS) == put


@given(document=DOCUMENTS, style=st.sampled_from(STYLES))
def test_what_stands_before_and_after_a_flag_is_the_same_text(document: dict[str, Any], style: dict[str, Any]) -> None:
    text = json.dumps(
        {**document, "flags": {**document["flags"], "reply": "<headgate's>", **document["flags"]}}, **style
    )
    before, _, after = text.partition('"<headgate\'s>"')
    put = put_flag(text, "reply", OURS)
    assert put.startswith(before)
    assert put.endswith(after)
    assert json.loads(put[len(before) : len(put) - len(after)]) == OURS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"flags": {}}', '{"flags": {"a": 1}}'),
        ('{"flags": {"b": 1.50}}', '{"flags": {"b": 1.50, "a": 1}}'),
        ('{"flags":{"b":"\\u00e9"} , "x":1e3}', '{"flags":{"b":"\\u00e9", "a": 1} , "x":1e3}'),
        ("{}", '{\n  "flags": {\n    "a": 1\n  }\n}'),
        ('{\n  "x": 1\n}\n', '{\n  "x": 1,\n  "flags": {\n    "a": 1\n  }\n}\n'),
        ('{\n  "flags": {\n    "b": 2\n  }\n}\n', '{\n  "flags": {\n    "b": 2,\n    "a": 1\n  }\n}\n'),
    ],
)
def test_texts_by_example(text: str, expected: str) -> None:
    assert put_flag(text, "a", 1) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("flags:\n  a: 1", "Expecting value"),
        ("[]", "not an object"),
        ('{"flags": []}', "not an object"),
        ('{"flags": {}, "flags": {}}', "twice"),
        ('{"flags": {"a": 1, "a": 2}}', "twice"),
        ('{"flags": {"x": NaN}}', "NaN"),
        ('{"flags": {}} trailing', "Extra data"),
        ("[" * 100_000, "recursion|Expecting"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, why: str) -> None:
    with pytest.raises(json_text.NotJson, match=why):
        put_flag(text, "a", 1)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "is no JSON object"),
        ({"flags": []}, "as a list"),
        ({"flags": 1}, "'flags' that is no object"),
        ({"flags": {"a": 1}}, "flag 'a' that is no object"),
        ({"flags": {"a": {"variants": {"on": True}}}}, "'a' whose state"),
        ({"flags": {"a": {"state": "ENABLED", "variants": {}}}}, "'a' without variants"),
        ({"flags": {"a": {"state": "ENABLED", "variants": {"on": 1}, "defaultVariant": 1}}}, "defaultVariant"),
        ({"flags": {"a": {"state": "ENABLED", "variants": {"on": 1}, "targeting": "x"}}}, "targeting"),
        ({"flags": {"a": {"state": "ENABLED", "variants": {"on": 1}, "metadata": {"x": {}}}}}, "'x' is neither"),
        ({"flags": {}, "metadata": {"x": None}}, "'x' is neither"),
        ({"flags": {}, "$evaluators": []}, "evaluators"),
    ],
)
def test_a_document_that_flagd_would_drop_is_found(document: JsonValue, why: str) -> None:
    assert why in (flagd_document.fault(document) or "")


def test_a_document_of_people_s_own_is_no_fault() -> None:
    document: JsonValue = {
        "$schema": "x",
        "flags": {"a": {"state": "DISABLED", "variants": {"on": True, "off": "?"}, "description": "mine"}},
        "metadata": {"version": 1.5, "flagSetId": "x"},
    }
    assert flagd_document.fault(document) is None
    assert flagd_document.fault({}) is None


@given(document=DOCUMENTS, names=st.lists(st.sampled_from(["reply", "a", "b", ""]), max_size=6))
def test_edits_one_after_the_other_are_as_if_each_had_read_the_text_anew(
    document: dict[str, Any], names: list[str]
) -> None:
    edited = ObjectText.read(json.dumps(document), "flags")
    for number, name in enumerate(names):
        value: JsonValue = {"number": "x" * number}
        assert edited.with_member(name, value) == ObjectText.read(edited.text, "flags").with_member(name, value)
        edited = edited.with_member(name, value)
        assert edited.document == json.loads(edited.text)
