"""Plain scalars are read as Kubernetes reads them, and written so that everybody reads what was meant."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from headgate.cli.lint.lint import lint
from headgate.cli.lint.reading import SourceFile
from headgate.cli.plain_scalars import field_name, plain_value
from headgate.cli.yaml_writing import as_yaml

# What sigs.k8s.io/yaml v1.6.0 makes of them.
READ_AS = {
    "1e3": 1000,
    "12e4": 120000,
    "y": True,
    "N": False,
    "on": True,
    "oN": "oN",
    "0o14": 12,
    "014": 12,
    "08": 8,
    "0b-101": -5,
    "+0b1": 1,
    "-0x1F": -31,
    "0x_1f": 31,
    "1__0": 10,
    "_1": "_1",
    "1:30": "1:30",
    "2026-01-05": "2026-01-05",
    "1.0": 1,
    "-.5": -0.5,
    ".5_0": 0.5,
    "._5": "._5",
    "5.": 5,
    "1e400": "1e400",
    "18446744073709551615": 18446744073709551615,
    "18446744073709551616": 1.8446744073709552e19,
    "+9223372036854775808": 9.223372036854775808e18,
    "0x": "0x",
    "1e21": 1e21,
    "~": None,
    "nULL": "nULL",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), READ_AS.items())
def test_a_plain_scalar_is_what_kubernetes_takes_it_for(text: str, value: object) -> None:
    assert json.dumps(plain_value(text)) == json.dumps(value)


@pytest.mark.parametrize(
    ("text", "name"), [("y", "true"), ("8080", "8080"), ("0x10", "16"), ("1.5", "1.5"), ("a", "a"), ("~", None)]
)
def test_a_fields_name_is_what_kubernetes_makes_of_it(text: str, name: str | None) -> None:
    assert field_name(plain_value(text)) == name


@given(st.one_of(st.text(max_size=10), st.from_regex(r"[-+.]?[0-9][0-9a-fxob_e.+-]{0,5}", fullmatch=True)))
def test_a_text_is_written_so_that_it_is_read_as_that_text(text: str) -> None:
    # PyYAML knows what quotes and escapes mean; what stands without them is for Kubernetes to judge.
    written = as_yaml({"a": text})
    (_, _, _, _, scalar, *_) = yaml.parse(written)
    assert isinstance(scalar, yaml.ScalarEvent)
    assert scalar.value == text
    assert not scalar.implicit[0] or plain_value(text) == text


@pytest.mark.parametrize("version", ["1e3", "y", "0o14", "12e4"])
def test_lint_refuses_a_version_that_the_api_server_would_not_take_for_text(version: str) -> None:
    text = f"""apiVersion: headgate.dev/v1alpha1
kind: Rollout
metadata: {{name: reply, namespace: ai}}
spec:
  prompt: {{family: reply, version: {version}}}
  delivery: [{{flag: {{name: reply, key: companyId, configMap: {{name: flags}}}}}}]
  steps: [{{weight: 100}}]
"""
    said = [finding.text() for finding in lint([SourceFile("f.yaml", text.encode())])]
    assert any("f.yaml:5: spec.prompt.version" in each for each in said), said
    quoted = text.replace(f"version: {version}", f"version: '{version}'")
    assert not any("version" in finding.text() for finding in lint([SourceFile("f.yaml", quoted.encode())]))
