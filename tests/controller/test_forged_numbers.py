"""Whatever number somebody writes into the marks on a router: every way back still ends with everybody on stable."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from headgate.api.rollout_status import AttemptState, Outcome
from headgate.api.target_kind import TargetKind
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, HTTP_ROUTE, ROLLOUT, Json, Kind, Refused
from headgate.cluster.targets import Targets
from tests.controller import documents
from tests.controller.house import House

HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]
WIDGET = TargetKind.model_validate({"apiVersion": "example.com/v1", "kind": "Widget", "fields": ["spec"]})

NUMBERS = {
    "no JSON reader has it": str(2**53 + 1),
    "the last that is believed": str(2**50),
    "the first that is not": str(2**50 + 1),
    "the largest that the API server takes": str(2**63 - 1),
    "one more than that": str(2**63),
    "all digits that Python reads": "9" * 4300,
    "below nothing": "-1",
    "no whole number": "1.5",
    "beyond all floats": "1e999",
    "another form": "1e300",
}
TEXTS = {**NUMBERS, "more digits than Python reads": "9" * 5000, "digits of others": "\u0663", "none": ""}

Forge = Callable[[Any, str], None]


def in_flag(mark: str) -> Forge:
    def forge(config_map: Any, number: str) -> None:  # noqa: ANN401 - JSON
        document = json.loads(config_map["data"]["flags.json"])
        document["flags"]["reply"]["metadata"][f"headgate.dev/{mark}"] = "@"
        config_map["data"]["flags.json"] = json.dumps(document).replace('"@"', number)

    return forge


def in_feature_flag(mark: str) -> Forge:
    def forge(flag: Any, number: str) -> None:  # noqa: ANN401 - JSON
        """As an older CRD has it, which drops a flag's metadata."""
        flag["spec"]["flagSpec"]["flags"]["reply"].pop("metadata")
        marks = json.loads(flag["metadata"]["annotations"]["headgate.dev/reply"])
        marks["reply"][f"headgate.dev/{mark}"] = "@"
        flag["metadata"]["annotations"]["headgate.dev/reply"] = json.dumps(marks).replace('"@"', number)

    return forge


def in_marks(*path: str) -> Forge:
    def forge(obj: Any, number: str) -> None:  # noqa: ANN401 - JSON
        marks = json.loads(obj["metadata"]["annotations"]["headgate.dev/reply"])
        here = marks
        for key in path[:-1]:
            here = here[key]
        here[path[-1]] = "@"
        obj["metadata"]["annotations"]["headgate.dev/reply"] = json.dumps(marks).replace('"@"', number)

    return forge


def in_backend_revision(config_map: Any, text: str) -> None:  # noqa: ANN401 - JSON
    config_map["metadata"]["annotations"]["headgate.dev/revision"] = text


def in_backend_attempt(config_map: Any, text: str) -> None:  # noqa: ANN401 - JSON
    config_map["data"]["attempt"] = text


FIELD = "spec.weight"
MARKS: list[tuple[str, str, Forge]] = [
    *(("flag", f"flag {mark}", in_flag(mark)) for mark in ("revision", "attempt", "weight")),
    *(("featureFlag", f"FeatureFlag {mark}", in_feature_flag(mark)) for mark in ("revision", "attempt")),
    *(("route", f"route {mark}", in_marks(mark)) for mark in ("revision", "attempt", "slot")),
    ("backend", "backend revision", in_backend_revision),
    ("backend", "backend attempt", in_backend_attempt),
    *(("field", f"field {mark}", in_marks(FIELD, mark)) for mark in ("revision", "attempt", "weight", "written")),
]
DELIVERY: dict[str, Any] = {
    "flag": documents.flag_delivery(),
    "featureFlag": {"flag": {"name": "reply", "key": "companyId", "featureFlag": {"name": "reply"}}},
    "route": {"httpRoute": {"name": "reply", "backends": ["blue", "green"]}},
    "field": {"field": {"path": FIELD, "target": {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w"}}},
}
DELIVERY["backend"] = DELIVERY["route"]
ROUTE: Json = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "reply", "namespace": "ai", "uid": "r"},
    "spec": {
        "rules": [
            {"backendRefs": [{"name": name, "port": 80, "weight": 1 - at} for at, name in enumerate(("blue", "green"))]}
        ]
    },
}


FORGED = [
    pytest.param(router, forge, number, id=f"{mark}: {what}")
    for router, mark, forge in MARKS
    for what, number in (TEXTS if router == "backend" else NUMBERS).items()
]


class Place:
    """A release at 10 % through one router."""

    def __init__(self, router: str) -> None:
        targets = Targets([WIDGET])
        self.router, self.widget = router, targets.serves(WIDGET, "widgets")
        targets.listed(self.widget)
        self.house = House(targets=targets)
        self.house.cluster.refuse = refuse

    async def begin(self) -> None:
        house = self.house
        await house.versions("v1", "v2", "v3")
        house.tell(HTTP_ROUTE, house.cluster.put(HTTP_ROUTE, ROUTE))
        widget: Json = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "ai"}}
        house.tell(self.widget, house.cluster.put(self.widget, {**widget, "spec": {"weight": 0}}))
        self.ask("v1", generation=1)
        await house.look(1)
        self.ask("v2", generation=2)
        for _ in range(3):
            await house.look(1)
        assert (house.status["attempt"]["state"], self.shown()) == (AttemptState.STEPPING, 10)

    def ask(self, version: str, *, generation: int, **spec: str) -> None:
        asked = documents.rollout(version, gates=[], steps=HELD, delivery=[DELIVERY[self.router]])
        asked["spec"].update(spec)
        asked["metadata"]["generation"] = generation
        self.house.put(ROLLOUT, asked)

    @property
    def kept_in(self) -> tuple[Kind, str]:
        """The object whose marks are forged."""
        return {
            "flag": (CONFIG_MAP, "reply-flags"),
            "featureFlag": (FEATURE_FLAG, "reply"),
            "route": (HTTP_ROUTE, "reply"),
            "backend": (CONFIG_MAP, "reply-green"),
            "field": (self.widget, "w"),
        }[self.router]

    def forge(self, forge: Forge, number: str) -> None:
        kind, name = self.kept_in
        obj = self.house.cluster.at(kind, name)
        forge(obj, number)
        self.house.tell(kind, self.house.cluster.put(kind, obj))

    def shown(self) -> int:
        """The candidate's share, as whoever serves it reads it."""
        cluster = self.house.cluster
        match self.router:
            case "flag":
                flag = json.loads(cluster.at(CONFIG_MAP, "reply-flags")["data"]["flags.json"])["flags"]["reply"]
                return share_in(flag)
            case "featureFlag":
                return share_in(cluster.at(FEATURE_FLAG, "reply")["spec"]["flagSpec"]["flags"]["reply"])
            case "field":
                return int(cluster.at(self.widget, "w")["spec"]["weight"])
            case _:
                weights = [ref["weight"] for ref in cluster.at(HTTP_ROUTE, "reply")["spec"]["rules"][0]["backendRefs"]]
                return int(weights[1])


def share_in(flag: dict[str, Any]) -> int:
    if not flag["targeting"]:
        return 0
    return int(flag["targeting"]["if"][2]["fractional"][1][1]) // 100


def refuse(body: Json) -> Refused | None:
    """As the API server does with what is no int64."""
    status = body.get("status")
    if body.get("kind") == "Rollout" and isinstance(status, dict) and int(str(status.get("revision", 0))) > 2**63 - 1:
        return Refused("status.revision: must be of type int64")
    return None


@pytest.mark.parametrize("way", ["abort", "kill"])
@pytest.mark.parametrize(("router", "forge", "number"), FORGED)
async def test_a_way_back_ends_with_everybody_on_stable_whatever_number_stands_in_the_marks(
    router: str, forge: Forge, number: str, way: str
) -> None:
    place = Place(router)
    await place.begin()
    place.forge(forge, number)
    if way == "kill":
        place.ask("v2", generation=3, killSwitch="Stable")
    else:
        place.house.annotate(abort="1")
    for _ in range(4):
        await place.house.look(15)
    attempt = place.house.status["attempt"]
    assert (place.shown(), attempt["state"], attempt["outcome"]) == (0, AttemptState.ENDED, Outcome.ROLLED_BACK)
    assert [rejection["version"] for rejection in place.house.status["rejected"]] == ["v2"]


@pytest.mark.parametrize(("router", "forge", "number"), FORGED)
async def test_whatever_number_stands_in_the_marks_the_next_release_can_still_be_aborted(
    router: str, forge: Forge, number: str
) -> None:
    place = Place(router)
    await place.begin()
    place.forge(forge, number)
    for _ in range(4):
        await place.house.look(15)
    place.ask("v3", generation=3)
    for _ in range(6):
        await place.house.look(15)
    attempt = place.house.status["attempt"]
    assert (attempt["candidate"]["version"], attempt["state"], place.shown()) == ("v3", AttemptState.STEPPING, 10)
    place.house.annotate(abort=str(attempt["number"]))
    for _ in range(4):
        await place.house.look(15)
    assert (place.shown(), place.house.status["attempt"]["state"]) == (0, AttemptState.ENDED)


async def test_attempts_can_be_aborted_after_a_status_is_lost_and_the_router_carries_the_highest_number() -> None:
    place = Place("flag")
    await place.begin()
    place.forge(in_flag("revision"), str(2**50))
    lost = place.house.rollout
    lost["status"] = {}
    place.house.tell(ROLLOUT, place.house.cluster.put(ROLLOUT, lost))
    del place.house.cluster.objects[CONFIG_MAP, "ai", "reply-record"]
    place.ask("v1", generation=3)
    for _ in range(4):
        await place.house.look(15)
    place.ask("v3", generation=4)
    for _ in range(4):
        await place.house.look(15)
    attempt = place.house.status["attempt"]
    assert (attempt["number"] > 2**49, attempt["state"], place.shown()) == (True, AttemptState.STEPPING, 10)
    place.house.annotate(abort=str(attempt["number"]))
    for _ in range(4):
        await place.house.look(15)
    assert (place.shown(), place.house.status["attempt"]["outcome"]) == (0, Outcome.ROLLED_BACK)
