"""No field leads out of a Rollout's namespace, and no target is a way to rights that its author has not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from headgate.api.configuration import Configuration
from headgate.api.crds import documents
from headgate.api.rollout import RolloutSpec
from headgate.api.target_kind import BUILT_IN
from headgate.cluster.targets import Targets, refused
from tests.integration.cluster import Server

KSERVE = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "fields": ["spec.predictor"]}
OURS = {"headgate.dev", "core.openfeature.dev", "gateway.networking.k8s.io"}


def properties(schema: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - a JSON schema
    """Where each property of a schema stands."""
    if not isinstance(schema, dict):
        return
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from properties(inner, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        yield from properties(schema.get(word), f"{path}[]")


def test_no_field_of_a_spec_names_another_namespace_an_address_or_a_secret() -> None:
    words = re.compile(r"namespace|url|uri|host|secret|token$|user", re.IGNORECASE)
    crds: Any = documents()
    for crd in crds:
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        named = list(properties(schema, crd["spec"]["names"]["kind"]))
        assert len(named) > 10
        assert [path for path in named if words.search(path.rsplit(".", 1)[-1])] == []


def allowed(**changes: object) -> Configuration:
    return Configuration.model_validate({"targets": [{**KSERVE, **changes}]})


def test_every_group_that_an_api_server_serves_by_itself_is_refused(server: Server) -> None:
    served = {group["name"] for group in server.send("GET", "/apis")["groups"]} - OURS
    crds = server.send("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    served -= {crd["spec"]["group"] for crd in crds}
    assert served
    assert served <= BUILT_IN
    for group in served | OURS:
        with pytest.raises(ValidationError):
            allowed(apiVersion=f"{group}/v1")


@pytest.mark.parametrize(
    "api_version",
    [
        "RBAC.authorization.k8s.io/v1",
        "rbac.authorization.k8s.io/v1beta1",
        "rbac.authorization.k8s.io/v1\n",
        "rbac.authorization.k8s.io./v1",
        "Apps/v1",
        "apps/v1beta1",
        "extensions/v1beta1",
        "/v1",
        "v1",
        "core/../v1",
        "HEADGATE.DEV/v1alpha1",
        "x.headgate.dev/v1",
        "gateway.networking.k8s.io/v1beta1",
        "core.openfeature.dev/v1beta1",
        "*/v1",
        "",
    ],
)
def test_no_other_writing_of_a_group_opens_it(api_version: str) -> None:
    with pytest.raises(ValidationError):
        allowed(apiVersion=api_version)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "spec.",
        ".spec",
        "spec..predictor",
        "spec/predictor",
        "spec~1predictor",
        "metadata.annotations",
        "metadata",
        "status.components",
        "kind",
        "apiVersion",
        "spec.predictor\n",
        "spec.containers[0].image",
        "spec.containers.0.image",
        "spec.*",
        "$.spec",
    ],
)
def test_no_other_writing_of_a_path_reaches_further(path: str) -> None:
    with pytest.raises(ValidationError):
        allowed(fields=[path])
    with pytest.raises(ValidationError):
        spec(fields=[path])


def spec(**target: object) -> RolloutSpec:
    named = {**{key: KSERVE[key] for key in ("apiVersion", "kind")}, "name": "ranker", **target}
    document = {"target": {"fields": ["spec.predictor.model"], "exposure": "Immediate", **named}}
    delivery = [{"flag": {"name": "f", "key": "k", "configMap": {"name": "flags"}}}]
    return RolloutSpec.model_validate({**document, "delivery": delivery, "steps": [{"weight": 100}]})


@pytest.mark.parametrize(
    "named",
    [
        {"fields": ["spec"]},
        {"fields": ["spec.predictorX"]},
        {"fields": ["spec.predictor-canary.image"]},
        {"fields": ["spec.transformer"]},
        {"fields": ["spec.predictor.model", "spec.serviceAccountName"]},
        {"kind": "Inferenceservice"},
        {"apiVersion": "serving.kserve.io/v1alpha1"},
        {"apiVersion": "serving.kserve.io.evil.example/v1beta1"},
    ],
    ids=str,
)
def test_a_rollout_names_nothing_but_what_is_allowed(named: dict[str, object]) -> None:
    targets = Targets(allowed().targets)
    assert refused(targets, spec()) is None
    assert refused(targets, spec(**named)) is not None


def test_a_weight_is_written_into_allowed_fields_alone() -> None:
    document = {
        "target": {
            **{key: KSERVE[key] for key in ("apiVersion", "kind")},
            "name": "ranker",
            "fields": ["spec.predictor.model"],
        },
        "delivery": [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}],
        "steps": [{"weight": 100}],
    }
    spec, targets = RolloutSpec.model_validate(document), [{**KSERVE, "fields": ["spec.predictor.model"]}]
    assert refused(Targets(allowed().targets), spec) is None
    assert refused(Targets(Configuration.model_validate({"targets": targets}).targets), spec) is not None
