"""The API server's rules and the models' validators say the same of whatever specs come."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import RolloutSpec
from tests.api.conftest import ApiServer
from tests.api.documents import ABSENT, changed

real = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.sampled_from(["a", "b", "10", "50", "shadow", "reply-quality"])
DURATIONS = st.sampled_from(
    ["0", "0s", "1s", "1m", "999ms", "1000ms", "0999ms", "10ms", "01s", "1h30m", "1m1h", "2h1d", "", "5 m"]
)
BOUNDS = st.sampled_from([1, 0, -1, "5%", "5 %", "0.02", ".02", "10s", "10d", "", "-0.5ms", "1e3", 10**12 - 1, 10**12])
GATES = st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2)
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "weight": st.sampled_from([1, 10, 50, 100]),
        "shadow": st.sampled_from(["5%", "0%", 5, 0, "100", "101%"]),
        "holdFor": DURATIONS,
        "gates": GATES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y"])}, optional={"key": st.sampled_from(["k", "..k"])}
)
FLAGS = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", "g"]), "key": st.just("id")},
    optional={"configMap": DOCUMENTS, "featureFlag": st.fixed_dictionaries({"name": st.sampled_from(["x", "y"])})},
)
ROUTES = st.fixed_dictionaries(
    {"name": st.sampled_from(["r", "s"]), "backends": st.lists(st.sampled_from(["b", "c"]), min_size=1, max_size=3)}
)
PATHS = st.sampled_from(["spec.a", "spec.a.b", "spec.ab", "status.x", "spec.0", "spec", "", "spec.a-b.c_d"])
REFERENCES = st.fixed_dictionaries(
    {
        "apiVersion": st.sampled_from(["x.io/v1", "x.io/v2", "y.io/v1", "v1", "x.io/"]),
        "kind": st.sampled_from(["K", "L"]),
        "name": st.sampled_from(["r", "s"]),
    }
)
FIELDS = st.fixed_dictionaries({"path": PATHS}, optional={"target": REFERENCES})
SPANS = st.sampled_from(["1s", "1h30m", "24h", "24h1ms", "25h", "1440m", "1d", "0", "999ms", "1000ms", "1m1h", "1y"])
HOOKS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "10", "B"])},
    optional={
        "webhook": st.just({"name": "w"}),
        "job": st.just({"cronJob": "c"}),
        "timeout": st.one_of(SPANS, DURATIONS),
        "retries": st.sampled_from([0, 10, 11, -1]),
    },
)
THRESHOLDS = st.fixed_dictionaries({}, optional={"above": BOUNDS, "belowStableBy": BOUNDS, "for": DURATIONS})
CHECKS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "query": st.just("up"),
        "ratio": st.just({"bad": "a", "total": "b"}),
        "samplesQuery": st.just("up"),
        "minSamples": st.sampled_from([0, 1]),
        "absentBad": st.just("Zero"),
        "window": DURATIONS,
        "warning": THRESHOLDS,
        "critical": THRESHOLDS,
    },
)


def agree(server: ApiServer, kind: str, model: type[BaseModel], changes: dict[str, object]) -> None:
    document = changed(kind, changes)
    try:
        model.model_validate_json(json.dumps(document["spec"]), strict=True)
        accepted = True
    except ValidationError:
        accepted = False
    answer = server.try_out(document)
    assert (answer.status_code == 201) is accepted, f"{changes}: {answer.json().get('message', 'accepted')}"
    assert "no such key" not in answer.text


@real
@given(steps=st.lists(STEPS, max_size=3), end=st.booleans(), gates=GATES)
def test_on_steps(api_server: ApiServer, steps: list[object], *, end: bool, gates: list[object]) -> None:
    steps = [*steps, {"weight": 100}] if end else steps
    agree(api_server, "Rollout", RolloutSpec, {"spec.steps": steps, "spec.gates": gates})


@real
@given(
    delivery=st.lists(
        st.one_of(
            st.fixed_dictionaries({"flag": FLAGS}),
            st.fixed_dictionaries({"httpRoute": ROUTES}),
            st.fixed_dictionaries({}, optional={"flag": FLAGS, "httpRoute": ROUTES}),
        ),
        max_size=3,
    ),
    deadline=DURATIONS,
)
def test_on_deliveries(api_server: ApiServer, delivery: list[object], deadline: str) -> None:
    agree(api_server, "Rollout", RolloutSpec, {"spec.delivery": delivery, "spec.progressDeadline": deadline})


@real
@given(after=st.lists(HOOKS, max_size=3))
def test_on_what_is_run_after_a_revert(api_server: ApiServer, after: list[object]) -> None:
    agree(api_server, "Rollout", RolloutSpec, {"spec.rollback": {"after": after}})


@real
@given(
    reference=REFERENCES,
    fields=st.lists(PATHS, max_size=3),
    immediate=st.booleans(),
    delivery=st.lists(
        st.one_of(st.fixed_dictionaries({"field": FIELDS}), st.fixed_dictionaries({"flag": FLAGS})), max_size=3
    ),
    prompt=st.booleans(),
)
def test_on_targets(
    api_server: ApiServer,
    reference: dict[str, object],
    fields: list[str],
    delivery: list[object],
    *,
    immediate: bool,
    prompt: bool,
) -> None:
    target = {**reference, "fields": fields, **({"exposure": "Immediate"} if immediate else {})}
    changes: dict[str, object] = {"spec.target": target, "spec.delivery": delivery}
    agree(api_server, "Rollout", RolloutSpec, changes if prompt else {**changes, "spec.prompt": ABSENT})


@real
@given(checks=st.lists(CHECKS, max_size=3), period=DURATIONS, parameters=GATES)
def test_on_checks(api_server: ApiServer, checks: list[object], period: str, parameters: list[object]) -> None:
    agree(
        api_server,
        "QualityGate",
        QualityGateSpec,
        {"spec.checks": checks, "spec.period": period, "spec.parameters": parameters},
    )


@real
@given(bound=BOUNDS, period=DURATIONS)
def test_on_bounds_and_durations(api_server: ApiServer, bound: int | str, period: str) -> None:
    changes: dict[str, object] = {"spec.checks[0].critical.above": bound, "spec.period": period}
    agree(api_server, "QualityGate", QualityGateSpec, changes)


@real
@given(step=STEPS)
def test_on_one_step(api_server: ApiServer, step: object) -> None:
    agree(api_server, "Rollout", RolloutSpec, {"spec.steps": [step, {"weight": 100}]})


@real
@given(weights=st.lists(st.sampled_from([None, 1, 10, 50, 100]), min_size=1, max_size=4))
def test_on_the_order_of_weights(api_server: ApiServer, weights: list[int | None]) -> None:
    steps = [
        {"name": f"s{index}", **({"shadow": "5%"} if weight is None else {"weight": weight})}
        for index, weight in enumerate(weights)
    ]
    agree(api_server, "Rollout", RolloutSpec, {"spec.steps": steps})
