"""The operator's configuration opens no way to rights that a Rollout's author has not."""

import pytest
from pydantic import ValidationError

from headgate.api.configuration import Configuration

KSERVE = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "fields": ["spec.predictor"]}


@pytest.mark.parametrize(
    "api_version",
    [
        "v1",
        "/v1",
        "rbac.authorization.k8s.io/v1",
        "admissionregistration.k8s.io/v1",
        "apiextensions.k8s.io/v1",
        "apiregistration.k8s.io/v1",
        "certificates.k8s.io/v1",
        "apps/v1",
        "batch/v1",
        "headgate.dev/v1alpha1",
        "sub.headgate.dev/v1",
        "serving.kserve.io/../../api/v1",
    ],
)
def test_what_is_never_a_target(api_version: str) -> None:
    with pytest.raises(ValidationError):
        Configuration.model_validate({"targets": [{**KSERVE, "apiVersion": api_version}]})


@pytest.mark.parametrize("field", ["metadata", "metadata.annotations", "status", "kind", "spec[0]", "../spec", ""])
def test_fields_that_are_never_allowed(field: str) -> None:
    with pytest.raises(ValidationError):
        Configuration.model_validate({"targets": [{**KSERVE, "fields": [field]}]})


def test_one_kind_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="stands twice"):
        Configuration.model_validate({"targets": [KSERVE, KSERVE]})


@pytest.mark.parametrize(
    ("path", "permitted"),
    [
        ("spec.predictor", True),
        ("spec.predictor.model.storageUri", True),
        ("spec.predictorless", False),
        ("spec", False),
        ("spec.transformer", False),
    ],
)
def test_a_field_is_allowed_with_all_that_stands_in_it(path: str, *, permitted: bool) -> None:
    (kind,) = Configuration.model_validate({"targets": [KSERVE]}).targets
    assert kind.permits(path) is permitted
