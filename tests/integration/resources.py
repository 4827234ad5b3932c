"""The resources of a small release, with durations that a test can wait for. Sends nothing."""

from tests.integration.cluster import Document

API = "headgate.dev/v1alpha1"
STEPS: list[Document] = [
    {"weight": 10, "holdFor": "500ms"},
    {"weight": 25, "holdFor": "500ms"},
    {"weight": 50, "holdFor": "500ms"},
    {"weight": 100},
]
ONE_LONG_STEP: list[Document] = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


def version(name: str, *, family: str = "reply", text: str | None = None) -> Document:
    return {
        "apiVersion": API,
        "kind": "PromptVersion",
        "metadata": {"name": name},
        "spec": {
            "family": family,
            "model": {"provider": "openai", "name": "gpt-4.1", "version": "2025-04-14"},
            "parameters": {"temperature": "0", "seed": 42},
            "messages": [{"role": "system", "content": text or f"You are {name}."}],
        },
    }


def check(**changes: object) -> Document:
    """Errors out of requests: a warning above 2 %, back above 5 %."""
    counters = '{app="$(app)",version="$(version)"}'
    return {
        "name": "errors",
        "ratio": {"bad": f"sum(llm_errors_total{counters})", "total": f"sum(llm_requests_total{counters})"},
        "minSamples": 50,
        "warning": {"above": "2%"},
        "critical": {"above": "5%"},
        **changes,
    }


def quality_check(**changes: object) -> Document:
    """A gauge, as it is."""
    query = 'answer_quality{app="$(app)",version="$(version)"}'
    return {"name": "quality", "query": query, "critical": {"below": "0.8"}, **changes}


def gate(*checks: Document, name: str = "quality", **changes: object) -> Document:
    return {
        "apiVersion": API,
        "kind": "QualityGate",
        "metadata": {"name": name},
        "spec": {"period": "1s", "parameters": [{"name": "app"}], "checks": [*checks] or [check()], **changes},
    }


def flag_delivery(flag: str = "reply", config_map: str = "flags") -> Document:
    return {"flag": {"name": flag, "key": "companyId", "configMap": {"name": config_map, "key": "flags.json"}}}


def rollout(prompt: str, *, app: str, name: str = "reply", **spec: object) -> Document:
    return {
        "apiVersion": API,
        "kind": "Rollout",
        "metadata": {"name": name},
        "spec": {
            "prompt": {"family": "reply", "version": prompt},
            "delivery": [flag_delivery(name)],
            "gates": [{"name": "quality", "args": {"app": app}}],
            "steps": STEPS,
            **spec,
        },
    }


def route(name: str = "reply", backends: tuple[str, str] = ("blue", "green")) -> Document:
    """An HTTPRoute with a rule of people's own before the one that is split."""
    header = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-team", "value": "ai"}]}}
    refs = [{"name": backend, "port": 8080, "weight": 1 if backend == backends[0] else 0} for backend in backends]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": "gateway"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/health"}}],
                    "backendRefs": [{"name": "health", "port": 80, "weight": 7}],
                },
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "filters": [header],
                    "backendRefs": refs,
                },
            ],
        },
    }
