"""What customers get from the documents that headgate writes, by flagd's own engine."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from headgate.api.rollout import KillSwitch
from headgate.cluster.objects import Json
from headgate.delivery import flagd
from headgate.delivery.json_text import ObjectText
from headgate.engine.routing import Routing
from tests.delivery.releases import FLAG, V7, at_rest, routing

CUSTOMERS = [f"company-{number}" for number in range(20_000)]
DEFAULT: dict[str, Any] = {"arm": "the code's default"}


def engine(wanted: Routing, beside: str = '{"flags": {}}') -> FlagdCore:
    core = FlagdCore()
    core.set_flags(ObjectText.read(beside, "flags").with_member("reply", flagd.flag(wanted, FLAG, {})).text)
    return core


def value_of(core: FlagdCore, attributes: Mapping[str, Any], flag: str = "reply") -> Mapping[str, Any]:
    value = core.resolve_object_value(flag, DEFAULT, EvaluationContext(attributes=dict(attributes))).value
    assert isinstance(value, dict)
    return value


def members(wanted: Routing, customers: list[str] = CUSTOMERS) -> set[str]:
    core = engine(wanted)
    return {c for c in customers if value_of(core, {"companyId": c})["arm"] == "candidate"}


@pytest.mark.parametrize("weight", [1, 10, 25, 50, 99])
def test_the_share_of_customers_is_the_weight(weight: int) -> None:
    share = 100 * len(members(routing(weight))) / len(CUSTOMERS)
    assert share == pytest.approx(weight, abs=1.0)


def test_whoever_is_in_stays_in_while_weights_rise() -> None:
    ten, quarter, half, everybody = (members(routing(weight)) for weight in (10, 25, 50, 100))
    assert ten < quarter < half < everybody
    assert everybody == set(CUSTOMERS)


def test_the_candidate_stands_first_in_the_split_and_whoever_was_shadowed_first_is_in_first() -> None:
    targeting = json.dumps(flagd.flag(routing(10), FLAG, {})["targeting"])
    assert '[{"cat": ["reply", {"var": "companyId"}]}, ["candidate", 1000], ["stable", 9000]]' in targeting
    core = engine(routing(shadow=10))
    shadowed = {customer for customer in CUSTOMERS if value_of(core, {"companyId": customer})["shadow"]}
    assert shadowed == members(routing(10))


def test_the_values_say_what_an_application_records() -> None:
    core = engine(routing(100))
    assert value_of(core, {"companyId": "acme"}) == {
        "version": "reply-v8",
        "digest": "sha256:8",
        "arm": "candidate",
        "mode": None,
        "confidence": None,
        "shadow": None,
        "values": None,
        "compiled": "reply-v8-compiled",
        "model": "openai/gpt@8",
        "seed": 43,
        "temperature": "0.2",
    }


@pytest.mark.parametrize("wanted", [routing(50), routing(100), routing(shadow=100)])
@pytest.mark.parametrize("attributes", [{}, {"companyId": ""}, {"companyId": None}])
def test_without_a_customer_stable_is_served_until_promotion(wanted: Routing, attributes: Json) -> None:
    value = value_of(engine(wanted), attributes)
    assert (value["arm"], value["shadow"]) == ("stable", None)


def test_at_rest_everybody_gets_stable() -> None:
    core = engine(at_rest())
    assert value_of(core, {"companyId": "acme"})["version"] == "reply-v7"
    assert value_of(core, {})["version"] == "reply-v7"


def test_a_candidate_without_weight_is_nowhere_in_the_flag() -> None:
    assert "sha256:8" not in json.dumps(flagd.flag(routing(0), FLAG, {}))


def test_shadowing_serves_stable_and_names_the_candidate_to_its_share() -> None:
    core = engine(routing(shadow=30))
    values = [value_of(core, {"companyId": customer}) for customer in CUSTOMERS]
    assert {(value["arm"], value["digest"]) for value in values} == {("stable", "sha256:7")}
    shadowed = [value["shadow"] for value in values if value["shadow"] is not None]
    assert 100 * len(shadowed) / len(values) == pytest.approx(30, abs=1.0)
    assert shadowed[0] == {
        "version": "reply-v8",
        "digest": "sha256:8",
        "compiled": "reply-v8-compiled",
        "model": "openai/gpt@8",
        "seed": 43,
        "temperature": "0.2",
    }


@pytest.mark.parametrize(("kill", "arm"), [(KillSwitch.STABLE, "stable"), (KillSwitch.LEGACY, "legacy")])
def test_the_kill_switch_beats_every_weight_and_never_leaves_the_choice_to_callers(kill: KillSwitch, arm: str) -> None:
    core = engine(routing(100, kill=kill))
    for attributes in ({"companyId": "acme"}, {}):
        assert value_of(core, attributes)["arm"] == arm


def test_the_cohort_depends_on_the_salt_and_not_on_the_versions() -> None:
    one = members(routing(25))
    other_salt = FLAG.model_copy(update={"salt": "another"})
    core = FlagdCore()
    core.set_flags({"flags": {"reply": flagd.flag(routing(25), other_salt, {})}})
    assert members(routing(25, stable=V7, attempt=9, revision=70)) == one
    assert {c for c in CUSTOMERS if value_of(core, {"companyId": c})["arm"] == "candidate"} != one


def test_a_flag_beside_others_leaves_their_evaluators_and_metadata_working() -> None:
    beside = json.dumps(
        {
            "$evaluators": {"staff": {"ends_with": [{"var": "email"}, "@example.com"]}},
            "metadata": {"team": "support"},
            "flags": {
                "banner": {
                    "state": "ENABLED",
                    "variants": {"on": {"text": "hi"}, "off": {"text": ""}},
                    "defaultVariant": "off",
                    "targeting": {"if": [{"$ref": "staff"}, "on", "off"]},
                }
            },
        }
    )
    core = engine(routing(100), beside)
    assert value_of(core, {"email": "a@example.com"}, "banner") == {"text": "hi"}
    assert value_of(core, {"companyId": "acme"})["arm"] == "candidate"
    details = core.resolve_object_value("reply", DEFAULT, EvaluationContext(attributes={"companyId": "acme"}))
    assert details.flag_metadata["team"] == "support"
    assert details.flag_metadata["headgate.dev/revision"] == 1
