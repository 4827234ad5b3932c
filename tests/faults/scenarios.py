"""What is played in a run: what is there before, what people do, and how it ends. Knows no fault and judges nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests

from tests.alerts import posts
from tests.faults.world import PATIENCE, World
from tests.integration import resources
from tests.integration.cluster import Document
from tests.integration.routers import FlagInConfigMap, Route
from tests.integration.waiting import eventually
from tests.targets import ranking
from tests.targets.inference_service import service

STEPS = [{"weight": 10, "holdFor": "300ms"}, {"weight": 50, "holdFor": "300ms"}, {"weight": 100}]
SHORT: Document = {"steps": STEPS}
HELD: Document = {"steps": [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]}
APPROVED: Document = {"steps": [{"weight": 10}, {"weight": 50, "approval": "Required"}, {"weight": 100}]}
ALERTED: Document = {**HELD, "rollback": {"alerts": posts.ALERTS}}
ROUTED: Document = {**SHORT, "delivery": [Route().delivery()]}


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a candidate's share stands."""

    kind: str
    name: str
    weight: Callable[[Document], int | None]
    """The share in a state of that object; None where it says nothing."""


def _weight_of_field(state: Document) -> int | None:
    found: int | None = state["spec"]["predictor"].get("canaryTrafficPercent") if state else None
    return found


FLAG = Shown("ConfigMap", FlagInConfigMap.config_map, FlagInConfigMap().weight)
ROUTE = Shown("HTTPRoute", "reply", Route().weight)
FIELD = Shown("InferenceService", "ranker", _weight_of_field)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that people do with headgate, from the first write of it to the rest after it."""

    name: str
    act: Callable[[World], None]
    is_over: Callable[[Document], bool]
    """Whether the Rollout stands as it must in the end."""
    prepare: Callable[[World], None] = lambda _world: None
    rollout: str = "reply"
    shown: Shown = FLAG
    rejects: bool = False
    """Whether the candidate must be shown to nobody after it was taken back."""
    reads: bool = False
    """Whether it is its reads that are struck; else its writes are."""
    watches: Document = field(default_factory=dict)
    """How the operator is configured to see that a watch tells nothing any more."""


def _is_stable(version: str) -> Callable[[Document], bool]:
    return lambda status: bool(status["phase"] == "Idle" and status["stable"]["version"] == version)


def _is_rolled_back(status: Document) -> bool:
    return bool(status["phase"] == "RolledBack")


def _first(world: World, spec: Document = SHORT) -> None:
    """Two versions, a gate and a Rollout of the first one."""
    world.apply(resources.version("v1"), resources.version("v2"), resources.gate())
    world.apply(world.rollout("v1", spec))


def _begun(spec: Document = SHORT, errors: int = 1) -> Callable[[World], None]:
    """v1 is stable; v2 will fail so often."""

    def prepare(world: World) -> None:
        world.answers("v1", errors=1)
        world.answers("v2", errors=errors)
        _first(world, spec)
        world.wait_for_status(_is_stable("v1"))
        world.wait("PromptVersion", "v1", lambda state: state["status"]["stage"] == "Stable")
        world.is_measured("v2")

    return prepare


def _release(spec: Document = SHORT) -> Callable[[World], None]:
    return lambda world: world.apply(world.rollout("v2", spec))


def _on_a_route(then: Callable[[World], None]) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        Route().prepare(world.namespace)
        then(world)

    return prepare


def _is_at_ten(world: World, shown: Shown) -> None:
    """Returns when the routers show 10 % and the Rollout knows that."""
    world.wait(shown.kind, shown.name, lambda state: shown.weight(state) == 10)
    world.wait_for_status(lambda status: status["weight"] == 10)


def _abort(world: World) -> None:
    _release(HELD)(world)
    _is_at_ten(world, FLAG)
    world.namespace.annotate("reply", abort="1")


def _kill_switch(world: World) -> None:
    _release(HELD)(world)
    _is_at_ten(world, FLAG)
    world.namespace.patch("Rollout", "reply", {"spec": {"killSwitch": "Stable"}})


def _alert(world: World) -> None:
    """Alertmanager sends its alert until it is told that it was received."""
    _release(ALERTED)(world)
    _is_at_ten(world, FLAG)
    body = posts.post(posts.alert(at=datetime.now(UTC)))

    def is_received() -> bool:
        try:
            return world.alerts.send(body).status_code == 200
        except requests.RequestException:
            return False

    eventually(is_received, within=PATIENCE)


def _crash(world: World) -> None:
    """A release that is begun by one operator and ended by another."""
    _release(APPROVED)(world)
    _is_at_ten(world, FLAG)
    world.wait_for_status(lambda status: status["phase"] == "AwaitingApproval")
    world.restart()
    world.namespace.annotate("reply", approve="1/50")


def _rejected(world: World) -> None:
    _begun(errors=200)(world)
    _release()(world)
    world.wait_for_status(_is_rolled_back)


def _recreate(world: World) -> None:
    """The Rollout is deleted, and applied again with what was rejected."""
    world.namespace.delete("Rollout", "reply")
    world.wait("Rollout", "reply", lambda state: not state)
    _release()(world)


def _is_refused(status: Document) -> bool:
    return any(each["reason"] == "Rejected" for each in status["conditions"]) and status["stable"]["version"] == "v1"


def _ranker(errors: int) -> Callable[[World], None]:
    """Model 1 is stable; model 2 will fail so often."""

    def prepare(world: World) -> None:
        for number, failing in ((1, 1), (2, errors)):
            world.answers(ranking.version_of(service(ranking.model(number))), errors=failing)
        world.apply(service(), manager="git")
        world.apply(resources.gate())
        gates = [{"name": "quality", "args": {"app": world.name}}]
        world.apply(ranking.rollout(gates=gates, steps=STEPS))
        world.wait_for_status(lambda status: status["phase"] == "Idle" and status["stable"], "ranker")
        world.is_measured(ranking.version_of(service(ranking.model(2))))

    return prepare


def _edit(world: World) -> None:
    model = {"spec": {"predictor": {"model": {"storageUri": ranking.model(2)}}}}
    world.namespace.patch("InferenceService", "ranker", model)


_SECOND_MODEL = ranking.version_of(service(ranking.model(2)))

SCENARIOS = (
    Scenario("first version", _first, _is_stable("v1")),
    Scenario("good release by a flag", _release(), _is_stable("v2"), _begun()),
    Scenario("bad release by a flag", _release(), _is_rolled_back, _begun(errors=200), rejects=True),
    Scenario(
        "good release by an HTTPRoute",
        _release(ROUTED),
        _is_stable("v2"),
        _on_a_route(_begun(ROUTED)),
        shown=ROUTE,
    ),
    Scenario(
        "bad release by an HTTPRoute",
        _release(ROUTED),
        _is_rolled_back,
        _on_a_route(_begun(ROUTED, errors=200)),
        shown=ROUTE,
        rejects=True,
    ),
    Scenario("good edit of a target", _edit, _is_stable(_SECOND_MODEL), _ranker(1), "ranker", FIELD),
    Scenario("bad edit of a target", _edit, _is_rolled_back, _ranker(200), "ranker", FIELD, rejects=True),
    Scenario("abort by a person", _abort, _is_rolled_back, _begun(HELD), rejects=True),
    Scenario("kill switch", _kill_switch, lambda status: status["phase"] == "Killed", _begun(HELD), rejects=True),
    Scenario("alert", _alert, _is_rolled_back, _begun(ALERTED), rejects=True),
    Scenario("reads after a crash", _crash, _is_stable("v2"), _begun(), reads=True),
    Scenario("reads after a re-creation", _recreate, _is_refused, _rejected, reads=True),
)
"""What is played."""
