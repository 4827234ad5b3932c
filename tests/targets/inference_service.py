"""KServe's InferenceService as far as a release touches it: a CRD of its group and shape, and an object of it."""

from typing import Any

API_VERSION = "serving.kserve.io/v1beta1"
ALLOWED = [{"apiVersion": API_VERSION, "kind": "InferenceService", "fields": ["spec.predictor"]}]
"""The configuration's targets, as DESIGN.md has them."""

_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def crd() -> dict[str, Any]:
    model = {
        "type": "object",
        "properties": {
            "storageUri": {"type": "string", "pattern": "^(s3|gs)://"},
            "runtime": {"type": "string", "nullable": True},
            "modelFormat": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    }
    predictor = {
        "type": "object",
        "properties": {
            "canaryTrafficPercent": {"type": "integer", "minimum": 0, "maximum": 100},
            "minReplicas": {"type": "integer"},
            "timeout": {"type": "integer"},
            "model": model,
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "inferenceservices.serving.kserve.io"},
        "spec": {
            "group": "serving.kserve.io",
            "scope": "Namespaced",
            "names": {
                "kind": "InferenceService",
                "listKind": "InferenceServiceList",
                "plural": "inferenceservices",
                "singular": "inferenceservice",
            },
            "versions": [
                {
                    "name": "v1beta1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {"type": "object", "properties": {"predictor": predictor}},
                                "status": _ANYTHING,
                            },
                        }
                    },
                }
            ],
        },
    }


def service(model: str = "s3://models/ranker/1", name: str = "ranker", **predictor: object) -> dict[str, Any]:
    """As its owner's Git repository has it: without the weight, which is headgate's."""
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": {"name": name},
        "spec": {
            "predictor": {
                "minReplicas": 1,
                "model": {"modelFormat": {"name": "sklearn"}, "storageUri": model},
                **predictor,
            }
        },
    }
