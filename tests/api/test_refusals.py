"""What is wrong by itself is refused at admission and by the models alike, with a line that says the fix."""

import json

import pytest
from pydantic import BaseModel, ValidationError

from headgate.api.prompt_version import PromptVersionSpec
from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import RolloutSpec
from tests.api.conftest import ApiServer
from tests.api.documents import ABSENT, changed

MODELS: dict[str, type[BaseModel]] = {
    "Rollout": RolloutSpec,
    "QualityGate": QualityGateSpec,
    "PromptVersion": PromptVersionSpec,
}
ROUTE = {"name": "r", "backends": ["blue", "green"]}
FLAG = {"name": "f", "key": "companyId", "configMap": {"name": "flags", "key": "flags.json"}}
EVERYBODY = {"weight": 100}
RATIO = {"bad": "a", "total": "b"}
CHECK = {"name": "c", "query": "a", "critical": {"above": 1}}

RANKER = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "name": "ranker"}
TARGET = {**RANKER, "fields": ["spec.predictor.model"]}
WEIGHT = {"field": {"path": "spec.predictor.canaryTrafficPercent"}}


def released(target: object = TARGET, *delivery: object) -> dict[str, object]:
    """The changes that make the example release a target."""
    return {"spec.prompt": ABSENT, "spec.target": target, "spec.delivery": list(delivery or (WEIGHT,))}


WEBHOOK = {"webhook": {"name": "cache"}}
HOOK = {"name": "clear-cache", **WEBHOOK}


def after(hook: dict[str, object]) -> dict[str, object]:
    """The change that makes the example run one hook after a revert."""
    return {"spec.rollback": {"after": [{"name": "clear-cache", **hook}]}}


ROLLOUT_REFUSALS: list[tuple[str, dict[str, object], str]] = [
    ("no router", {"spec.delivery[0]": {}}, "exactly one of flag, httpRoute, field; keep one"),
    ("two routers in one", {"spec.delivery[0].httpRoute": ROUTE}, "exactly one of flag, httpRoute, field; keep one"),
    ("no subject", {"spec.prompt": ABSENT}, "exactly one of prompt, target; keep one"),
    ("two subjects", {"spec.target": TARGET, "spec.delivery": [WEIGHT]}, "exactly one of prompt, target; keep one"),
    ("no weight in the target", released(TARGET, {"flag": FLAG}), "or exposure: Immediate"),
    (
        "a weight in another object",
        released(TARGET, {"field": {**WEIGHT["field"], "target": {**RANKER, "name": "x"}}}),
        "or exposure: Immediate",
    ),
    ("a weight nowhere", {"spec.delivery": [WEIGHT]}, "add a target to it"),
    ("one weight twice", released(TARGET, WEIGHT, WEIGHT), "remove one of them"),
    (
        "a field in another component than the weight",
        released({**TARGET, "fields": ["spec.predictor.model", "spec.transformer.containers"]}),
        "KServe splits each component by itself; release it by a",
    ),
    (
        "a weight in what is released",
        released({**TARGET, "fields": ["spec.predictor"]}),
        "declare the fields beside it",
    ),
    (
        "a released part of a weight",
        released({**TARGET, "fields": ["spec.predictor.canaryTrafficPercent.x"]}),
        "declare the fields beside it",
    ),
    ("no fields", released({**TARGET, "fields": []}), "at least 1"),
    ("a field twice", released({**TARGET, "fields": ["spec.a", "spec.a"]}), "each is snapshotted once"),
    ("a field within another", released({**TARGET, "fields": ["spec.a.b", "spec.a"]}), "each is snapshotted once"),
    ("a list's index", released({**TARGET, "fields": ["spec.containers[0].image"]}), "lists are not supported"),
    (
        "a list's index as a name",
        released({**TARGET, "fields": ["spec.containers.0.image"]}),
        "lists are not supported",
    ),
    ("a way up", released({**TARGET, "fields": ["spec..metadata"]}), "write spec.predictor"),
    ("a pointer", released({**TARGET, "fields": ["/spec/predictor"]}), "write spec.predictor"),
    ("metadata", released({**TARGET, "fields": ["metadata.labels"]}), "name a field of the spec"),
    ("the status", released({**TARGET, "fields": ["status"]}), "name a field of the spec"),
    ("a weight in metadata", released(TARGET, {"field": {"path": "metadata.annotations"}}), "name a field of the spec"),
    ("the core group", released({**TARGET, "apiVersion": "v1"}), "never targets"),
    (
        "a kind that is a path",
        released({**TARGET, "kind": "../secrets"}),
        "is no kind; write one such as",
    ),
    ("no delivery", {"spec.delivery": []}, "at least 1"),
    ("a hook that calls nothing", after({}), "exactly one of webhook, job; keep one"),
    ("a hook that calls two", after({**WEBHOOK, "job": {"cronJob": "x"}}), "exactly one of webhook, job; keep one"),
    ("two hooks of one name", {"spec.rollback": {"after": [HOOK, HOOK]}}, "give one of them another"),
    ("a hook without end", after({**WEBHOOK, "timeout": "25h"}), "not between 1s and 24h"),
    ("a hook of days", after({**WEBHOOK, "timeout": "1d"}), "not between 1s and 24h"),
    ("a hook of no time", after({**WEBHOOK, "timeout": "999ms"}), "not between 1s and 24h"),
    ("a hook with an address", after({"webhook": {"name": "x", "url": "http://x"}}), "url"),
    ("a hook with a path for a name", {"spec.rollback": {"after": [{**HOOK, "name": "../x"}]}}, "hook's name; write"),
    ("a Job of another namespace", after({"job": {"cronJob": "../x"}}), "is no name of an object; write"),
    ("no document", {"spec.delivery[0].flag.configMap": ABSENT}, "one of configMap, featureFlag; keep one"),
    ("two documents", {"spec.delivery[0].flag.featureFlag": {"name": "x"}}, "one of configMap, featureFlag; keep one"),
    (
        "key out of its ConfigMap",
        {"spec.delivery[0].flag.configMap.key": "../x"},
        "is no key of a ConfigMap; write",
    ),
    ("one backend", {"spec.delivery": [{"httpRoute": {"name": "r", "backends": ["a"]}}]}, "at least 2"),
    (
        "one backend twice",
        {"spec.delivery": [{"httpRoute": {"name": "r", "backends": ["a", "a"]}}]},
        "name two Services",
    ),
    ("one flag twice", {"spec.delivery": [{"flag": FLAG}, {"flag": {**FLAG, "salt": "x"}}]}, "remove one of them"),
    (
        "one FeatureFlag twice",
        {"spec.delivery": [{"flag": {"name": "f", "key": k, "featureFlag": {"name": "x"}}} for k in ("a", "b")]},
        "remove one of them",
    ),
    (
        "one route twice",
        {"spec.delivery": [{"httpRoute": ROUTE}, {"httpRoute": {**ROUTE, "backends": ["x", "y"]}}]},
        "remove one of them",
    ),
    (
        "falling weights",
        {"spec.steps": [{"weight": 25}, {"weight": 10}, EVERYBODY]},
        "weights only rise; order the steps",
    ),
    ("a shadow after a share", {"spec.steps": [{"weight": 10}, {"shadow": "5%"}, EVERYBODY]}, "weights only rise"),
    ("no end", {"spec.steps": [{"weight": 10}, {"weight": 99}]}, "add {weight: 100}"),
    ("a shadow at the end", {"spec.steps": [{"shadow": "5%"}]}, "add {weight: 100}"),
    ("no steps", {"spec.steps": []}, "at least 1"),
    ("two unnamed steps of a weight", {"spec.steps": [{"weight": 100}, {"weight": 100}]}, "give one of them a name"),
    ("two shadows", {"spec.steps": [{"shadow": "5%"}, {"shadow": "50%"}, EVERYBODY]}, "give one of them a name"),
    (
        "two steps of a name",
        {"spec.steps": [{"name": "a", "weight": 1}, {"name": "a", "weight": 2}, EVERYBODY]},
        "give one of them a name",
    ),
    (
        "a name that is another's weight",
        {"spec.steps": [{"name": "100", "weight": 1}, EVERYBODY]},
        "give one of them a name",
    ),
    (
        "a name that is the shadow's",
        {"spec.steps": [{"shadow": "5%"}, {"name": "shadow", "weight": 1}, EVERYBODY]},
        "give one of them a name",
    ),
    ("weight and shadow", {"spec.steps": [{"weight": 1, "shadow": "5%"}, EVERYBODY]}, "make two steps of it"),
    ("an empty step", {"spec.steps": [{"name": "x"}, EVERYBODY]}, "add a weight, a shadow or gates"),
    ("an unnamed step of gates", {"spec.steps": [{"gates": [{"name": "g"}]}, EVERYBODY]}, "add a name"),
    ("weight 0", {"spec.steps": [{"weight": 0}, EVERYBODY]}, "greater than or equal to 1"),
    ("weight 101", {"spec.steps[3].weight": 101}, "less than or equal to 100"),
    ("weight as text", {"spec.steps[0].weight": "10"}, "integer"),
    ("a share of nothing", {"spec.steps": [{"shadow": "0%"}, EVERYBODY]}, "from 1% to 100%"),
    ("a share of too much", {"spec.steps": [{"shadow": "101%"}, EVERYBODY]}, "from 1% to 100%"),
    ("a share of too much, plain", {"spec.steps": [{"shadow": 101}, EVERYBODY]}, "100"),
    ("a bad duration", {"spec.steps[0].holdFor": "5 minutes"}, "is not a duration; write 30s, 5m"),
    ("units in disorder", {"spec.bakeFor": "1m1h"}, "is not a duration; write 30s, 5m"),
    ("a duration that overflows dates", {"spec.bakeFor": "9999y"}, "is not a duration; write 30s, 5m"),
    ("a deadline of nothing", {"spec.progressDeadline": "0m0s"}, "write 1h"),
    ("a gate twice", {"spec.gates": [{"name": "g"}, {"name": "g", "args": {"a": "b"}}]}, "name each gate once"),
    ("a gate twice in a step", {"spec.steps[0].gates": [{"name": "g"}, {"name": "g"}]}, "name each gate once"),
    ("a gate everywhere and in a step", {"spec.steps[0].gates": [{"name": "reply-quality"}]}, "judges"),
    ("an argument that is no name", {"spec.gates[0].args": {"a-b": "c"}}, "args"),
    ("17 gates", {"spec.gates": [{"name": f"g{i}"} for i in range(17)]}, "at most 16"),
    ("33 steps", {"spec.steps": [{"name": f"s{i}", "weight": 100} for i in range(33)]}, "at most 32"),
    ("a kill switch that YAML read as false", {"spec.killSwitch": False}, "killSwitch"),
    ("a field of nobody", {"spec.nobodys": {}}, "nobodys"),
    ("an alert without labels", {"spec.rollback": {"alerts": [{"match": {}}]}}, "at least 1"),
    ("an alert that is no label", {"spec.rollback": {"alerts": [{"match": {"a-b": "c"}}]}}, "as the alert has it"),
    ("an alert with an empty label", {"spec.rollback": {"alerts": [{"match": {"a": ""}}]}}, "at least 1"),
    ("an alert that holds", {"spec.rollback": {"alerts": [{"match": {"a": "b"}, "action": "Hold"}]}}, "action"),
    ("17 alerts", {"spec.rollback": {"alerts": [{"match": {"a": "b"}}] * 17}}, "at most 16"),
    ("an upper-case object name", {"spec.gates[0].name": "Reply"}, "is no name of an object; write lower-case letters"),
]
GATE_REFUSALS: list[tuple[str, dict[str, object], str]] = [
    ("query and ratio", {"spec.checks[0].query": "up"}, "exactly one of query, ratio; keep one"),
    ("neither query nor ratio", {"spec.checks[1].query": ABSENT}, "exactly one of query, ratio; keep one"),
    ("no bound", {"spec.checks[0].critical": {"for": "1m"}}, "add one of above, below, aboveStableBy, belowStableBy"),
    ("neither warning nor critical", {"spec.checks[2].critical": ABSENT}, "add warning or critical"),
    ("samplesQuery beside a ratio", {"spec.checks[0].samplesQuery": "up"}, "remove samplesQuery"),
    ("minSamples of nothing", {"spec.checks[1].minSamples": 3}, "add samplesQuery"),
    ("absentBad beside a query", {"spec.checks[1].absentBad": "Zero"}, "remove absentBad"),
    ("minSamples 0", {"spec.checks[0].minSamples": 0}, "greater than or equal to 1"),
    ("a window of nothing", {"spec.checks[0].window": "0s"}, "write 10m"),
    ("two checks of a name", {"spec.checks": [CHECK, CHECK]}, "give each"),
    ("two parameters of a name", {"spec.parameters": [{"name": "a"}, {"name": "a"}]}, "give each"),
    ("a built-in parameter", {"spec.parameters": [{"name": "version"}]}, "choose another name"),
    ("no checks", {"spec.checks": []}, "at least 1"),
    ("a hurried period", {"spec.period": "500ms"}, "write 15s"),
    ("a period of nothing", {"spec.period": "0"}, "write 15s"),
    ("a float", {"spec.checks[0].critical.above": 0.02}, "above"),
    ("a boolean", {"spec.checks[0].critical.above": True}, "above"),
    ("a bound of words", {"spec.checks[0].critical.above": "five"}, "is not a bound; write 5%, 10s"),
    ("a bound in days", {"spec.checks[0].critical.above": "5d"}, "is not a bound; write 5%, 10s"),
    ("a bound with a unit and a line end", {"spec.checks[0].critical.above": "5%\n"}, "is not a bound; write 5%, 10s"),
    ("a bound beyond all", {"spec.checks[0].critical.above": 10**13}, "above"),
    ("an action of nobody", {"spec.checks[0].critical.action": "Explode"}, "Rollback"),
    ("a URL for a source", {"spec.source": "http://prometheus:9090"}, "is no name; write letters, digits, -, _ and ."),
    ("a query without end", {"spec.checks[1].query": "a" * 4097}, "4096"),
]
PROMPT_REFUSALS: list[tuple[str, dict[str, object], str]] = [
    (
        "criteria of 99",
        {"spec.criteria": [{"name": "a", "weight": 60}, {"name": "b", "weight": 39}]},
        "100; change them",
    ),
    ("criteria of a name", {"spec.criteria": [{"name": "a", "weight": 50}] * 2}, "give each"),
    ("a variable twice", {"spec.variables": ["a", "a"]}, "name each"),
    ("no messages", {"spec.messages": []}, "at least 1"),
    ("a role of nobody", {"spec.messages[0].role": "wizard"}, "system"),
    ("a temperature as a number", {"spec.parameters.temperature": 0}, "string"),
    ("no model", {"spec.model": ABSENT}, "equired"),
]
REFUSALS = [
    pytest.param(kind, changes, fix, id=f"{kind}: {name}")
    for kind, table in (
        ("Rollout", ROLLOUT_REFUSALS),
        ("QualityGate", GATE_REFUSALS),
        ("PromptVersion", PROMPT_REFUSALS),
    )
    for name, changes, fix in table
]


@pytest.mark.parametrize(("kind", "changes", "fix"), REFUSALS)
def test_the_api_server_refuses(api_server: ApiServer, kind: str, changes: dict[str, object], fix: str) -> None:
    answer = api_server.try_out(changed(kind, changes))
    assert answer.status_code in (400, 422), answer.text
    message = answer.json()["message"]
    assert fix in message
    assert "\n" not in message


@pytest.mark.parametrize(("kind", "changes", "fix"), REFUSALS)
def test_the_model_refuses(kind: str, changes: dict[str, object], fix: str) -> None:
    del fix  # pydantic says it in its own words, which lint translates
    with pytest.raises(ValidationError):
        MODELS[kind].model_validate_json(json.dumps(changed(kind, changes)["spec"]), strict=True)


@pytest.mark.parametrize("bound", ["5%", "-5%", "10s", "300ms", "1.5h", "0.02", "3", 3, 0, -3])
def test_a_bound_is_accepted(api_server: ApiServer, bound: int | str) -> None:
    document = changed("QualityGate", {"spec.checks[0].critical.above": bound})
    QualityGateSpec.model_validate_json(json.dumps(document["spec"]), strict=True)
    answer = api_server.try_out(document)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("share", ["1%", "100%", "40", 1, 100])
def test_a_share_is_accepted(api_server: ApiServer, share: int | str) -> None:
    document = changed("Rollout", {"spec.steps": [{"shadow": share}, EVERYBODY]})
    RolloutSpec.model_validate_json(json.dumps(document["spec"]), strict=True)
    answer = api_server.try_out(document)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("duration", ["30s", "5m", "1h30m", "3d", "2w", "1500ms", "1y"])
def test_a_duration_is_accepted(api_server: ApiServer, duration: str) -> None:
    document = changed("QualityGate", {"spec.period": duration, "spec.checks[0].window": duration})
    QualityGateSpec.model_validate_json(json.dumps(document["spec"]), strict=True)
    answer = api_server.try_out(document)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("kind", "longest"), [("Rollout", 63), ("QualityGate", 200), ("PromptVersion", 200)])
def test_a_name_leaves_room_for_the_names_that_are_made_of_it(api_server: ApiServer, kind: str, longest: int) -> None:
    fits = api_server.try_out(changed(kind, {"metadata.name": "a" * longest}))
    assert fits.status_code == 201, fits.text
    too_long = api_server.try_out(changed(kind, {"metadata.name": "a" * (longest + 1)}))
    assert too_long.status_code == 422
    assert str(longest) in too_long.json()["message"]


def test_different_routers_stand_side_by_side(api_server: ApiServer) -> None:
    flags = [
        {"flag": FLAG},
        {"flag": {**FLAG, "name": "g"}},
        {"flag": {**FLAG, "configMap": {"name": "flags", "key": "other.json"}}},
        {"flag": {"name": "f", "key": "companyId", "featureFlag": {"name": "flags"}}},
        {"httpRoute": ROUTE},
        {"httpRoute": {**ROUTE, "name": "s"}},
    ]
    document = changed("Rollout", {"spec.delivery": flags})
    RolloutSpec.model_validate(document["spec"])
    answer = api_server.try_out(document)
    assert answer.status_code == 201, answer.text


def test_a_step_of_gates_may_reuse_a_gate_of_the_spec(api_server: ApiServer) -> None:
    steps = [
        {"name": "first", "gates": [{"name": "reply-quality"}]},
        {"shadow": "5%"},
        {"name": "ten", "weight": 10},
        EVERYBODY,
    ]
    document = changed("Rollout", {"spec.steps": steps})
    RolloutSpec.model_validate(document["spec"])
    answer = api_server.try_out(document)
    assert answer.status_code == 201, answer.text
