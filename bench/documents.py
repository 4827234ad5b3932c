"""The resources that benchmarks apply: example 01's gate and Rollout with other names and durations. Sends nothing."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Document: TypeAlias = dict[str, Any]

HOLDING: list[Document] = [{"weight": 10, "holdFor": "1h"}, {"weight": 25, "holdFor": "1h"}, {"weight": 100}]
"""Steps of which the first lasts longer than any benchmark."""
_EXAMPLE = Path(__file__).parents[1] / "examples" / "01-prompt-rollout.yaml"
_API = "headgate.dev/v1alpha1"


@cache
def _example() -> list[Document]:
    return list(yaml.safe_load_all(_EXAMPLE.read_text()))


def _of_kind(kind: str) -> Document:
    return deepcopy(next(each for each in _example() if each["kind"] == kind))


def name_of(number: int) -> str:
    """The name of a PromptVersion."""
    return f"support-reply-v{number}"


STABLE = name_of(1)


def version(number: int) -> Document:
    """A PromptVersion; each number has a text of its own."""
    document = _of_kind("PromptVersion")
    document["metadata"] = {"name": name_of(number)}
    document["spec"]["messages"][0]["content"] = f"You are support agent number {number}."
    return document


def gate(period: str) -> Document:
    """Three checks, five different queries a look: bad and total, a quantile, and a comparison with stable."""
    document = _of_kind("QualityGate")
    document["metadata"] = {"name": "reply-quality"}
    document["spec"]["period"] = period
    # Over ten minutes a real Prometheus would see a break only when it has lasted for some of them.
    document["spec"]["checks"][0]["window"] = "20s"
    return document


def flag(rollout: str) -> Document:
    """Delivery by a flag in a ConfigMap of the Rollout's own."""
    config_map = {"name": f"{rollout}-flags", "key": "flags.json"}
    return {"flag": {"name": rollout, "key": "companyId", "configMap": config_map}}


def http_route(rollout: str) -> Document:
    """Delivery by the HTTPRoute of the same name."""
    return {"httpRoute": {"name": rollout, "backends": backends(rollout)}}


def backends(rollout: str) -> list[str]:
    """The Services of its HTTPRoute; the first runs what is stable first."""
    return [f"{rollout}-blue", f"{rollout}-green"]


def rollout(
    name: str, app: str, *, steps: list[Document], delivery: list[Document], bake: str | None = None
) -> Document:
    """A Rollout at the version that is to become stable at once. ``app`` is how metrics and alerts know it."""
    spec: Document = {
        "prompt": {"family": "support-reply", "version": STABLE},
        "delivery": delivery,
        "gates": [{"name": "reply-quality", "args": {"app": app}}],
        "steps": steps,
        "rollback": {"alerts": [{"match": alert_labels(app)}]},
    }
    if bake is not None:
        spec["bakeFor"] = bake
    return {"apiVersion": _API, "kind": "Rollout", "metadata": {"name": name}, "spec": spec}


def alert_labels(app: str) -> dict[str, str]:
    """The labels of the alert that takes the Rollout of that app back."""
    return {"alertname": "BurningBudget", "app": app}


def route(name: str) -> Document:
    """The HTTPRoute that `http_route` names, with everything at the first backend."""
    weights = zip(backends(name), (1, 0), strict=True)
    refs = [{"name": backend, "port": 8080, "weight": weight} for backend, weight in weights]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": refs}]},
    }
