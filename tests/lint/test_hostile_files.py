"""No file, however made, gets more than findings of one line out of lint; and it takes no long time over it."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.api.prompt_version import PromptVersionSpec
from headgate.api.quality_gate import Check, QualityGateSpec
from headgate.api.rollout import Delivery, FlagDelivery, GateReference, RolloutSpec, Step
from headgate.cli.lint.lint import lint
from headgate.cli.lint.reading import SourceFile

BOMB = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + level, 98 + level, b", ".join([b"*%c" % (97 + level)] * 10)) for level in range(12)
)
VALID = b"""apiVersion: headgate.dev/v1alpha1
kind: QualityGate
metadata: {name: g}
spec: {checks: [{name: c, query: up, critical: {above: %s}}]}
"""


def said(content: bytes) -> str:
    [finding] = lint([SourceFile("f.yaml", content)])
    text = finding.text()
    assert "\n" not in text
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BOMB, "f.yaml:5: more than 100000 values, aliases count"),
        (b"a: &a [*a]", "f.yaml:1: *a refers to nothing before it"),
        (b"[" * 100_000, "f.yaml:1: nested more than 100 deep"),
        (b"\n".join(b" " * i + b"a:" for i in range(500)), "f.yaml:101: nested more than 100 deep"),
        (b"#" * (4 * 2**20 + 1), "f.yaml:1: the file is larger than"),
        (b"a:\n" + b"- x\n" * 200_000, "more than 100000 values"),
        (
            b"a:\n\tb: 1\n",
            "f.yaml:2: the file is not YAML, found character that cannot start any token, indent",
        ),
        (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' stands twice, also in line 1, remove one"),
        (b"\n- a\n", "f.yaml:2: the document is no object"),
        (b"a: 1\nb: \xff", "f.yaml:2: the file is not UTF-8"),
        (b"a: \x00", "f.yaml:1: the file is not YAML"),
        (b"a: !Ref x", "f.yaml:1: the tag !Ref has no meaning here"),
        (b"a: !!int x", "f.yaml:1: 'x' is no int"),
        (b"a: .inf", "f.yaml:1: .inf is no number of JSON"),
        (b"? [a]\n: b", "f.yaml:1: a field's name is no text"),
        (b"<<: 3\n", "f.yaml:1: << merges something that has no fields"),
        (b"{", "f.yaml:1: the file is not YAML"),
        (VALID % (b"9" * 5000), "f.yaml:4: spec.checks[0].critical.above: '99999"),
        (b'apiVersion: headgate.dev/v1alpha1\nkind: "Ro\\e[2Jllout\\u202e"\n', "f.yaml:2: headgate.dev has no kind"),
    ],
)
def test_hostile_yaml_is_one_line(content: bytes, expected: str) -> None:
    assert expected in said(content)
    assert len(said(content)) < 1000


@pytest.mark.parametrize(
    "content", [b"---\n" + VALID % b"1" + b"---\n# the end\n", b"\xef\xbb\xbf" + VALID % b"1", VALID % b"'5%'"]
)
def test_harmless_files_are_quiet(content: bytes) -> None:
    assert lint([SourceFile("f.yaml", content)]) == []


def test_what_stands_before_a_mistake_is_still_read() -> None:
    findings = lint([SourceFile("f.yaml", VALID % b"five" + b"---\n{")])
    assert [finding.line for finding in findings] == [4, 6]


def test_dates_and_anchors_mean_what_kubectl_takes_them_for() -> None:
    content = b"""apiVersion: headgate.dev/v1alpha1
kind: PromptVersion
metadata: {name: p}
spec:
  family: f
  model: &model {provider: openai, name: gpt-4.1, version: 2025-04-14}
  messages: [{role: user, content: hello}]
---
apiVersion: headgate.dev/v1alpha1
kind: QualityGate
metadata: {name: g}
spec:
  checks:
  - &check {name: c, query: up, critical: {above: 1}}
  - {<<: *check, name: d}
"""
    assert lint([SourceFile("f.yaml", content)]) == []


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400) | st.text("apiVersonkd: {}[]-&*!|>#'\"\n\t01.headgt/v1lRu", max_size=400).map(str.encode)
)
def test_no_bytes_make_lint_fail(content: bytes) -> None:
    for finding in lint([SourceFile("f.yaml", content)]):
        assert "\n" not in finding.text()


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_LEAF = st.none() | st.booleans() | st.integers() | _FLOATS | st.text(max_size=5)
_MODELS = (RolloutSpec, Step, Delivery, FlagDelivery, GateReference, QualityGateSpec, Check, PromptVersionSpec)
_NAMES = st.sampled_from(
    ["target", "x", *(field.alias or name for model in _MODELS for name, field in model.model_fields.items())]
)
_VALUES = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=25
)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["Rollout", "QualityGate", "PromptVersion"]), spec=_VALUES)
def test_no_spec_makes_lint_fail(kind: str, spec: object) -> None:
    document = {"apiVersion": "headgate.dev/v1alpha1", "kind": kind, "metadata": {"name": "n"}, "spec": spec}
    findings = lint([SourceFile("f.yaml", yaml.safe_dump(document).encode())])
    assert findings
    for finding in findings:
        assert finding.what
        assert finding.fix
