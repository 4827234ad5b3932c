"""Rollouts as the API server would show them, in the states that a person meets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from headgate.api.conditions import rfc3339
from headgate.cluster.views import rollout_view
from headgate.engine.observation import RolloutView

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""Long ago, so that on a real clock every hold in these samples is over."""
V7 = {"version": "support-reply-v7", "digest": "sha256:" + "7" * 64}
V8 = {"version": "support-reply-v8", "digest": "sha256:" + "8" * 64}

Document = dict[str, Any]


def ago(seconds: float) -> str:
    return rfc3339(NOW - timedelta(seconds=seconds))


def spec(version: str = "support-reply-v8", **fields: object) -> Document:
    return {
        "prompt": {"family": "support-reply", "version": version},
        "delivery": [{"flag": {"name": "support-reply", "key": "companyId", "configMap": {"name": "flags"}}}],
        "gates": [{"name": "reply-quality", "args": {"app": "support-reply"}}],
        "steps": [
            {"weight": 10, "holdFor": "1m"},
            {"weight": 25, "holdFor": "1m"},
            {"weight": 50, "holdFor": "1m", "approval": "Required"},
            {"weight": 100},
        ],
        "bakeFor": "5m",
        **fields,
    }


TARGET: Document = {
    **{name: value for name, value in spec().items() if name not in ("prompt", "delivery")},
    "target": {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "name": "ranker",
        "fields": ["spec.predictor.model"],
    },
    "delivery": [{"field": {"path": "spec.predictor.canaryTrafficPercent"}}],
}
"""The spec of a Rollout that releases an object's own edit."""


def attempt(state: str = "Stepping", step: int | Document | None = 1, **fields: object) -> Document:
    """Attempt 3 of v8, by default 40 s into the step at 25 %."""
    document: Document = {"number": 3, "candidate": V8, "state": state, "startedAt": ago(120), **fields}
    if isinstance(step, dict):
        document["step"] = step
    elif step is not None:
        label = ("10", "25", "50", "100")[step]
        document["step"] = {"index": step, "name": label, "startedAt": ago(42), "deliveredAt": ago(40)}
    return document


def status(tried: Document | None = None, phase: str | None = "Progressing", **fields: object) -> Document:
    document: Document = {"observedGeneration": 2, "revision": 5, "weight": 25, "stable": V7, **fields}
    if phase is not None:
        document["phase"] = phase
    if tried is not None:
        document["attempt"] = tried
    return document


def verdict(kind: str = "Pass", *, check: str = "error-rate", measured: float = 5, **fields: object) -> Document:
    return {
        "gate": "reply-quality",
        "check": check,
        "verdict": kind,
        "since": ago(30),
        "step": "25",
        "measuredAt": ago(measured),
        **fields,
    }


def rejection(number: int = 3, **fields: object) -> Document:
    return {**V8, "attempt": number, "reason": "reply-quality/error-rate: 12 % above 5%", "at": ago(60), **fields}


def rollout(name: str = "support-reply", **fields: Document) -> Document:
    return {
        "apiVersion": "headgate.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": name,
            "namespace": "ai",
            "uid": "u1",
            "resourceVersion": "10",
            "generation": 2,
            "creationTimestamp": ago(3600),
        },
        "spec": spec(),
        **fields,
    }


def view(**fields: Document) -> RolloutView:
    seen = rollout_view(rollout("support-reply", **fields))
    assert seen is not None
    return seen
