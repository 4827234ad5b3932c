"""The CRDs on a real API server: the examples, immutability, explain's completeness, tables and status."""

from typing import Any

import pytest

from tests.api.conftest import ApiServer
from tests.api.documents import Document, changed, documents, example


def _put(server: ApiServer, document: Document, name: str) -> None:
    answer = server.apply({**document, "metadata": {**document["metadata"], "name": name}}, name)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("file", ["01-prompt-rollout.yaml", "03-http-route.yaml"])
def test_an_example_applies_unchanged(api_server: ApiServer, file: str) -> None:
    for document in documents(file):
        created = api_server.try_out(document)
        assert created.status_code == 201, created.text
        for _ in range(2):
            applied = api_server.apply(document, document["metadata"]["name"])
            assert applied.status_code in (200, 201), applied.text
        assert applied.json()["spec"].items() >= document["spec"].items()


def test_a_prompt_version_cannot_be_changed(api_server: ApiServer) -> None:
    document = example("PromptVersion")
    _put(api_server, document, "frozen")
    path = f"{api_server.path('PromptVersion')}/frozen"
    for patch in (
        {"spec": {"model": {"name": "other"}}},
        {"spec": {"parameters": None}},
        {"spec": {"messages": [*document["spec"]["messages"], {"role": "user", "content": "more"}]}},
        {"spec": {"configHash": "x"}},
    ):
        answer = api_server.ask("PATCH", path, patch, "application/merge-patch+json")
        assert answer.status_code == 422
        assert "create a PromptVersion of another name" in answer.json()["message"]
    labelled = api_server.ask("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json")
    assert labelled.status_code == 200


def test_nothing_is_defaulted_in_a_prompt_version(api_server: ApiServer) -> None:
    document = example("PromptVersion")
    answer = api_server.create({**document, "metadata": {"name": "as-written", "namespace": "ai"}})
    assert answer.json()["spec"] == document["spec"]


def test_defaults_are_filled_in(api_server: ApiServer) -> None:
    gate = api_server.try_out(changed("QualityGate", {"spec": {"checks": example("QualityGate")["spec"]["checks"]}}))
    assert gate.json()["spec"].items() >= {"source": "default", "period": "30s"}.items()
    rollout = api_server.try_out(changed("Rollout", {"spec.delivery[0].flag.configMap": {"name": "flags"}}))
    spec = rollout.json()["spec"]
    assert (spec["paused"], spec["killSwitch"]) == (False, "Off")
    assert spec["delivery"][0]["flag"]["configMap"]["key"] == "flags.json"


def test_a_status_is_written_apart_from_the_spec(api_server: ApiServer) -> None:
    _put(api_server, example("Rollout"), "with-status")
    path = f"{api_server.path('Rollout')}/with-status"
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Promoted",
        "message": "",
        "lastTransitionTime": "2026-11-21T06:00:00.123Z",
    }
    body = {"status": {"phase": "Idle", "weight": 0, "revision": 7, "conditions": [condition]}}
    written = api_server.ask("PATCH", f"{path}/status", body, "application/merge-patch+json")
    assert written.status_code == 200, written.text
    assert written.json()["status"] == body["status"]
    twice = {"status": {"conditions": [condition, condition]}}
    assert api_server.ask("PATCH", f"{path}/status", twice, "application/merge-patch+json").status_code == 422
    beside = api_server.ask("PATCH", path, {"status": {"phase": "Killed"}}, "application/merge-patch+json")
    assert beside.json()["status"]["phase"] == "Idle"


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("Rollout", ["Name", "Phase", "Weight", "Step", "Stable", "Candidate", "Reason", "Message", "Age"]),
        ("QualityGate", ["Name", "Ready", "Source", "Period", "Message", "Age"]),
        ("PromptVersion", ["Name", "Family", "Stage", "Digest", "Model", "Ready", "Age"]),
    ],
)
def test_kubectl_get_shows_columns(api_server: ApiServer, kind: str, columns: list[str]) -> None:
    api_server.session.headers["Accept"] = "application/json;as=Table;v=v1;g=meta.k8s.io"
    try:
        table = api_server.ask("GET", api_server.path(kind)).json()
    finally:
        del api_server.session.headers["Accept"]
    assert [column["name"] for column in table["columnDefinitions"]] == columns


def test_short_names_and_the_category_are_served(api_server: ApiServer) -> None:
    resources = api_server.ask("GET", "/apis/headgate.dev/v1alpha1").json()["resources"]
    served = {each["name"]: each for each in resources if "/" not in each["name"]}
    assert {name: each["shortNames"] for name, each in served.items()} == {
        "rollouts": ["hgr"],
        "qualitygates": ["qg"],
        "promptversions": ["pver"],
    }
    assert all(each["categories"] == ["headgate"] and each["namespaced"] for each in served.values())
    assert {each["name"] for each in resources if "/" in each["name"]} == {f"{name}/status" for name in served}


def test_explain_has_a_word_on_every_field(api_server: ApiServer) -> None:
    schemas = api_server.ask("GET", "/openapi/v3/apis/headgate.dev/v1alpha1").json()["components"]["schemas"]
    for kind in ("Rollout", "QualityGate", "PromptVersion"):
        schema = schemas[f"dev.headgate.v1alpha1.{kind}"]
        assert schema["description"]
        silent = list(_silent(kind, {key: schema["properties"][key] for key in ("spec", "status")}))
        assert silent == []


def _silent(where: str, properties: dict[str, Any]) -> list[str]:
    found = []
    for name, schema in properties.items():
        if not schema.get("description"):
            found.append(f"{where}.{name}")
        items = schema.get("items", {})
        for inside in (schema, items):
            found += _silent(f"{where}.{name}", inside.get("properties", {}))
    return found


def test_the_largest_objects_are_within_the_budget_of_the_rules(api_server: ApiServer) -> None:
    args = {f"parameter_{index:02}_{'x' * 40}": "y" * 253 for index in range(32)}
    gates = [{"name": f"gate-{index:02}-{'x' * 200}", "args": args} for index in range(16)]
    steps = [
        {"name": f"{index:02}-{'x' * 60}", "weight": min(100, 60 + index * 2), "gates": [] if index else gates}
        for index in range(32)
    ]
    everywhere = [{**gate, "name": f"z{gate['name']}"} for gate in gates]
    rollout = changed("Rollout", {"spec.steps": steps, "spec.gates": everywhere})
    assert api_server.try_out(rollout).status_code == 201
    checks = [
        {
            "name": f"{index:02}-{'x' * 60}",
            "query": "a" * 4096,
            "samplesQuery": "b" * 4096,
            "minSamples": 1,
            "warning": {"above": "1%", "for": "1h30m"},
            "critical": {"above": "100000000000.123456789%", "belowStableBy": "5%"},
            "window": "1h30m",
        }
        for index in range(32)
    ]
    parameters = [{"name": f"p{index:02}{'x' * 60}"} for index in range(32)]
    gate = changed("QualityGate", {"spec.checks": checks, "spec.parameters": parameters})
    assert api_server.try_out(gate).status_code == 201


def test_a_megabyte_of_prompt_is_still_compared(api_server: ApiServer) -> None:
    messages = [{"role": "user", "content": "x" * 200_000} for _ in range(5)]
    document = changed("PromptVersion", {"spec.messages": messages})
    _put(api_server, document, "large")
    path = f"{api_server.path('PromptVersion')}/large"
    patch = {"metadata": {"annotations": {"a": "b"}}}
    assert api_server.ask("PATCH", path, patch, "application/merge-patch+json").status_code == 200
