"""A custom resource that benchmarks release: KServe's InferenceService as far as headgate touches it. Sends nothing."""

from typing import Any

KIND, PLURAL, API_VERSION = "InferenceService", "inferenceservices", "serving.kserve.io/v1beta1"
ALLOWED = {"apiVersion": API_VERSION, "kind": KIND, "fields": ["spec.predictor"]}
"""What the operator's configuration says of it."""
_GROUP, _VERSION = API_VERSION.split("/")


def model(number: int) -> str:
    """What such an object holds; the first is what is stable."""
    return f"s3://models/ranker/{number}"


def service(name: str, number: int) -> dict[str, Any]:
    """An object of it."""
    predictor = {"minReplicas": 1, "model": {"modelFormat": {"name": "sklearn"}, "storageUri": model(number)}}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": {"predictor": predictor}}


def target(name: str) -> dict[str, Any]:
    """It as a Rollout's subject."""
    return {"apiVersion": API_VERSION, "kind": KIND, "name": name, "fields": ["spec.predictor.model.storageUri"]}


def field(_rollout: str) -> dict[str, Any]:
    """Delivery by the weight in it."""
    return {"field": {"path": "spec.predictor.canaryTrafficPercent"}}


def rules() -> list[dict[str, Any]]:
    """The rights to it that the chart's value `targets` adds."""
    return [
        {"apiGroups": [_GROUP], "resources": [PLURAL], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "create", "delete"]},
    ]


def crd() -> dict[str, Any]:
    """Its CRD, with a schema that leaves everything open."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    version = {"name": _VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": PLURAL.removesuffix("s")}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{_GROUP}"},
        "spec": {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }
