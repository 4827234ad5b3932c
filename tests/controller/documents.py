"""The resources of a small release, with durations that a test can wait for."""

from typing import Any

API = "headgate.dev/v1alpha1"


def version(name: str, text: str | None = None, family: str = "reply") -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "PromptVersion",
        "metadata": {"name": name},
        "spec": {
            "family": family,
            "model": {"provider": "openai", "name": "gpt-4.1"},
            "parameters": {"temperature": "0", "seed": 42},
            "messages": [{"role": "system", "content": text or f"You are {name}."}],
        },
    }


def gate(name: str = "quality", app: str = "reply") -> dict[str, Any]:
    query = f'max(answer_errors{{app="{app}",version="$(version)"}})'
    return {
        "apiVersion": API,
        "kind": "QualityGate",
        "metadata": {"name": name},
        "spec": {"period": "1s", "checks": [{"name": "errors", "query": query, "critical": {"above": "5"}}]},
    }


def flag_delivery(flag: str = "reply") -> dict[str, Any]:
    return {"flag": {"name": flag, "key": "companyId", "configMap": {"name": f"{flag}-flags"}}}


STEPS: list[dict[str, Any]] = [
    {"weight": 10, "holdFor": "1s"},
    {"weight": 25, "holdFor": "1s"},
    {"weight": 50, "holdFor": "1s"},
    {"weight": 100},
]


def rollout(prompt: str, name: str = "reply", family: str = "reply", **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": API,
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {
            "prompt": {"family": family, "version": prompt},
            "delivery": [flag_delivery(name)],
            "gates": [{"name": "quality"}],
            "steps": STEPS,
            **{field: value for field, value in spec.items() if value is not None},
        },
    }
