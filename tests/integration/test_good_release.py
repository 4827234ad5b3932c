"""A good version reaches everybody, step by step, whatever carries it, and says what it does on the way."""

import itertools
import json
import re

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from tests.integration import resources
from tests.integration.cluster import Document
from tests.integration.journal import Journal
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route, Router, weights
from tests.integration.waiting import eventually

ROUTERS = pytest.mark.parametrize(
    "router", [FlagInConfigMap(), FlagInFeatureFlag(), Route()], ids=["ConfigMap", "FeatureFlag", "HTTPRoute"]
)
COMPANIES = [f"company-{number}" for number in range(1000)]
pytestmark = pytest.mark.usefixtures("operator")


@ROUTERS
def test_it_goes_through_every_step_once_and_in_order(release: Release, router: Router) -> None:
    release.begins(router)
    journal = router.history(release.namespace)
    release.of("v2")
    status = release.ends_stable("v2")
    passed = weights(router, journal)
    assert passed[:5] == [0, 10, 25, 50, 100]
    # With a route the backends swap roles, so that no traffic moves at the end.
    assert passed[5:] == ([] if isinstance(router, Route) else [0])
    assert [(entry["version"], entry["outcome"]) for entry in status["history"]] == [("v2", "Promoted")]


def test_the_first_version_is_stable_at_once_without_an_attempt(release: Release) -> None:
    release.begins()
    status = release.namespace.status("reply")
    assert "attempt" not in status
    assert release.namespace.reasons("reply") == ["FirstVersion"]


def test_a_customer_who_got_it_once_keeps_it_while_the_weights_rise(release: Release) -> None:
    release.begins()
    journal = Journal(release.namespace, "ConfigMap", "flags")
    release.of("v2")
    release.ends_stable("v2")
    served = [_companies_with("v2", state) for state in journal.states()]
    sizes = [len(companies) for companies in served]
    assert sizes[0] == 0
    assert sizes[-1] == len(COMPANIES)
    assert all(earlier <= later for earlier, later in itertools.pairwise(served))
    assert {round(size / 10) for size in sizes} >= {0, 100}
    assert any(70 < size < 130 for size in sizes), f"nobody saw a tenth: {sizes}"


def test_its_events_tell_the_story_each_with_a_reason_of_its_own(release: Release) -> None:
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    eventually(lambda: release.namespace.reasons("reply"), lambda reasons: "Promoted" in reasons)
    reasons = [reason for reason in release.namespace.reasons("reply") if reason != "Verifying"]
    assert reasons == ["FirstVersion", "AttemptStarted", "StepEntered", "StepEntered", "StepEntered", "Promoted"]
    messages = [str(event["message"]) for event in release.namespace.events("reply")]
    assert len(set(messages)) == len(messages)
    assert all("\n" not in message for message in messages)


def test_conditions_say_what_kubectl_wait_needs(release: Release) -> None:
    release.begins()
    release.of("v2", steps=resources.ONE_LONG_STEP)
    release.is_at("v2", 10)
    eventually(lambda: _conditions(release), lambda seen: seen["Reconciling"] == "True" and seen["Delivered"] == "True")
    assert _conditions(release)["Ready"] == "False"
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")
    assert _conditions(release) == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "Paused": "False",
        "Delivered": "True",
        "EvidenceAvailable": "True",
    }
    rollout = release.namespace.get("Rollout", "reply")
    assert rollout["status"]["observedGeneration"] == rollout["metadata"]["generation"]


def test_versions_know_how_far_they_have_come(release: Release) -> None:
    release.begins()
    _has_stage(release, "v1", "Stable")
    _has_stage(release, "v2", "Draft")
    release.of("v2", steps=resources.ONE_LONG_STEP)
    _has_stage(release, "v2", "CustomerBeta")
    release.namespace.annotate("reply", promote="1")
    release.ends_stable("v2")
    _has_stage(release, "v2", "Stable")
    _has_stage(release, "v1", "Deprecated")
    _has_stage(release, "v3", "Draft")


def test_the_application_finds_its_prompt_in_an_immutable_config_map_that_the_flag_names(release: Release) -> None:
    release.begins()
    flag = FlagInConfigMap().flag(release.namespace)
    value = flag["variants"]["stable"]
    status = release.namespace.get("PromptVersion", "v1")["status"]
    assert value["version"] == "v1"
    assert value["digest"] == status["digest"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", value["digest"])
    assert (value["model"], value["seed"], value["temperature"]) == ("openai/gpt-4.1@2025-04-14", 42, "0")
    compiled = release.namespace.get("ConfigMap", value["compiled"])
    assert status["compiled"]["configMap"] == value["compiled"]
    assert compiled["immutable"] is True
    prompt = json.loads(compiled["data"]["prompt.json"])
    assert prompt["messages"] == resources.version("v1")["spec"]["messages"]


def test_it_is_judged_at_100_percent_too_before_it_is_stable(release: Release) -> None:
    release.begins(bakeFor="1h")
    release.of("v2", bakeFor="1h")
    release.wait(phase="Baking", weight=100)
    assert release.namespace.status("reply")["stable"]["version"] == "v1"
    release.is_bad("v2")
    release.ends_rolled_back("v2")


def test_every_attempt_leaves_an_immutable_manifest_with_the_bounds_that_it_was_held_to(release: Release) -> None:
    release.begins()
    release.of("v2")
    status = release.ends_stable("v2")
    manifest = release.namespace.get("ConfigMap", status["attempt"]["manifest"])
    assert manifest["immutable"] is True
    plan = json.loads(manifest["data"]["plan.json"])
    assert plan["candidate"]["version"] == "v2"
    assert plan["gateSpecs"]["quality"]["checks"][0]["critical"]["above"] == "5%"
    assert [step["weight"] for step in plan["steps"]] == [10, 25, 50, 100]


def _companies_with(version: str, config_map: Document) -> set[str]:
    """The companies that flagd's own engine gives that version."""
    engine = FlagdCore()
    engine.set_flags(config_map["data"]["flags.json"])
    served = {
        company: engine.resolve_object_value("reply", {}, EvaluationContext(attributes={"companyId": company})).value
        for company in COMPANIES
    }
    return {company for company, value in served.items() if isinstance(value, dict) and value["version"] == version}


def _conditions(release: Release) -> dict[str, str]:
    conditions = release.namespace.status("reply")["conditions"]
    return {condition["type"]: condition["status"] for condition in conditions}


def _has_stage(release: Release, version: str, stage: str) -> None:
    look = release.namespace.get
    eventually(lambda: look("PromptVersion", version)["status"].get("stage"), lambda seen: seen == stage)
