"""A custom resource whose spec takes whatever its owner writes, and what its owner sees of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller.kube import PATHS, Kube
from tests.controller.process import OperatorProcess
from tests.controller.waiting import wait_for

GROUP = "play.example.com"
_NO_PROMETHEUS = "http://127.0.0.1:9"
ALLOWED = [{"apiVersion": f"{GROUP}/v1", "kind": "Widget", "fields": ["spec"]}]
HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]
_ANYTHING: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
PATHS["Widget"] = f"/apis/{GROUP}/v1/namespaces/{{}}/widgets"


def crd(**properties: object) -> dict[str, Any]:
    """The CRD; the properties are what its spec has a schema for."""
    schema = {"type": "object", "properties": {"spec": {**_ANYTHING, "properties": properties}, "status": _ANYTHING}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def widget(**spec: object) -> dict[str, Any]:
    """As its owner's Git repository has it."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "widget"}, "spec": spec}


def rollout(*fields: str, **spec: object) -> dict[str, Any]:
    """No gate judges it: it stays at 10 % until somebody acts."""
    target = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "name": "widget", "fields": list(fields)}
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "widget"},
        "spec": {"target": target, "delivery": [{"field": {"path": "spec.weight"}}], "steps": HELD, **spec},
    }


def operating(directory: Path, plane: ControlPlane) -> Iterator[OperatorProcess]:
    """An operator that may release widgets, and that no source tells anything; for a fixture."""
    plane.api.install_crds([crd()])
    process = OperatorProcess(directory, plane.kubeconfig, _NO_PROMETHEUS, targets=ALLOWED)
    process.start()
    yield process
    process.stop()


class Widget:
    """The widget in one namespace."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube

    def begin(self, applied: dict[str, Any], *fields: str, **spec: object) -> None:
        """What is applied is stable, and nobody is exposed to anything else."""
        self.kube.apply(applied, manager="git")
        self.kube.apply(rollout(*fields, **spec))
        self.wait_for(lambda found: found["phase"] == "Idle" and found["stable"])
        self.wait_for_weight(0)

    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kube.get("Widget", "widget")["spec"]
        return found

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kube.get("Rollout", "widget")["status"]
        return found

    def edit(self, **fields: object) -> None:
        """Somebody edits the spec; what is None goes."""
        self.kube.patch("Widget", "widget", {"spec": fields})

    def wait_for(self, wanted: Any, *, timeout: float = 30.0) -> dict[str, Any]:  # noqa: ANN401 - a predicate of JSON
        return wait_for(self.kube, wanted, name="widget", timeout=timeout)

    def wait_for_weight(self, weight: int) -> None:
        wait_until(
            lambda: self.spec.get("weight") == weight,
            timeout=15,
            otherwise=lambda: f"the weight stays {self.spec.get('weight')}: {json.dumps(self.status)}",
        )

    def abort(self, attempt: int = 1) -> None:
        """Somebody takes it back; returns when it is."""
        self.kube.annotate("widget", abort=str(attempt))
        self.wait_for(lambda found: found["phase"] == "RolledBack")

    def stalled(self, reason: str) -> str:
        """The message, once it is stalled for that reason."""
        wanted = ("Stalled", "True", reason)

        def is_wanted(each: dict[str, Any]) -> bool:
            return (each["type"], each["status"], each["reason"]) == wanted

        found = self.wait_for(lambda status: any(map(is_wanted, status["conditions"])))
        return str(next(filter(is_wanted, found["conditions"]))["message"])
