"""Evidence whose consequence cannot be written: nothing rises on it when it is old, and what it saw of harm is done."""

import json
from typing import Any

import pytest

from headgate.api.rollout_status import Phase
from headgate.cluster.objects import CONFIG_MAP, FEATURE_FLAG, QUALITY_GATE, ROLLOUT, Json, Kind, Unavailable
from tests.controller import documents
from tests.controller.house import Cluster, House

DELIVERY = {"flag": {"name": "reply", "key": "companyId", "featureFlag": {"name": "flags"}}}
STEPS = [{"weight": 10, "holdFor": "60s"}, {"weight": 100, "approval": "Required"}]
AWAY = Unavailable("connection refused")


class Unread(Cluster):
    """May answer no reads either."""

    is_away = False

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        if self.is_away:
            raise AWAY
        return await super().get(kind, namespace, name)


async def at_ten_percent(*, steps: list[dict[str, Any]], **check: object) -> House:
    """v2 has been at 10 % for 50 s, and is measured every 10 s."""
    house = House(Unread())
    await house.versions("v1", "v2")
    gate = documents.gate()
    gate["spec"] = {"period": "10s", "checks": [{**gate["spec"]["checks"][0], **check}]}
    house.put(QUALITY_GATE, gate)
    for version in ("v1", "v2"):
        house.put(ROLLOUT, documents.rollout(version, delivery=[DELIVERY], steps=steps, bakeFor="60s"))
        await house.look()
    for _ in range(5):
        await house.look(10)
    assert house.status["weight"] == 10
    return house


def goes_away(house: House, *kinds: Kind) -> None:
    """The API server answers no write of these kinds, or no request at all where none is named."""

    house.cluster.fault = lambda kind, _subresource: AWAY if not kinds or kind in kinds else None
    assert isinstance(house.cluster, Unread)
    house.cluster.is_away = not kinds


def comes_back(house: House) -> None:
    house.cluster.fault = lambda _kind, _subresource: None
    assert isinstance(house.cluster, Unread)
    house.cluster.is_away = False


def exposes_v2(house: House) -> bool:
    return '"v2"' in json.dumps(house.cluster.at(FEATURE_FLAG, "flags"))


@pytest.mark.parametrize("minutes", [1, 10, 60])
async def test_a_rise_that_waited_for_the_api_server_is_not_made_on_what_was_measured_before(minutes: int) -> None:
    house = await at_ten_percent(steps=[{"weight": 10, "holdFor": "60s"}, {"weight": 50}, {"weight": 100}])
    goes_away(house)
    for _ in range(15):
        await house.look(1)
    house.sources.values["v2"] = 9
    for _ in range(6 * minutes):
        await house.look(10)
    weights: list[int] = []

    def notes_the_weight(_kind: Kind, _subresource: str) -> None:
        weights.append(house.status["weight"])

    comes_back(house)
    house.cluster.fault = notes_the_weight
    await house.look()
    await house.look(10)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert max(weights) == 10


async def test_an_outage_at_the_end_of_a_hold_asks_the_source_no_more_than_once_a_period() -> None:
    house = await at_ten_percent(steps=[*STEPS[:1], {"weight": 100}])
    goes_away(house)
    asked = house.sources.asked
    for _ in range(600):
        await house.look(1)
    assert 50 <= house.sources.asked - asked <= 61
    comes_back(house)
    await house.look(10)
    assert house.status["weight"] == 100


async def test_a_promotion_that_cannot_be_put_on_record_is_judged_and_taken_back_meanwhile() -> None:
    house = await at_ten_percent(steps=[{"weight": 10, "holdFor": "55s"}, {"weight": 100}])
    for _ in range(5):
        await house.look(10)
    assert house.status["phase"] == Phase.BAKING
    goes_away(house, CONFIG_MAP)
    for _ in range(7):
        await house.look(10)
    assert (house.status["weight"], house.status["stable"]["version"]) == (100, "v1")
    house.sources.values["v2"] = 9
    await house.look(15)
    assert house.status["weight"] == 0
    assert not exposes_v2(house)
    comes_back(house)
    await house.look(300)
    assert (house.status["phase"], house.status["stable"]["version"]) == (Phase.ROLLED_BACK, "v1")


async def test_a_status_that_cannot_be_written_because_somebody_approved_keeps_nobody_from_being_judged() -> None:
    house = await at_ten_percent(steps=STEPS)
    goes_away(house, ROLLOUT)
    house.annotate(approve="1/100")
    await house.look(1)
    house.sources.values["v2"] = 9
    for _ in range(3):
        await house.look(10)
    assert not exposes_v2(house)
    comes_back(house)
    await house.look(10)
    assert house.status["phase"] == Phase.ROLLED_BACK


async def test_a_pause_that_could_not_be_written_comes_although_the_candidate_got_well() -> None:
    house = await at_ten_percent(steps=STEPS, critical={"above": "5", "action": "Pause"})
    goes_away(house, ROLLOUT)
    house.sources.values["v2"] = 9
    await house.look(10)
    house.sources.values["v2"] = 1
    for _ in range(6):
        await house.look(10)
    comes_back(house)
    await house.look(10)
    assert house.status["phase"] == Phase.PAUSED
    assert "errors: 9" in house.status["attempt"]["paused"]["reason"]
    house.annotate(resume="1")
    for _ in range(3):
        await house.look(10)
    assert house.status["phase"] != Phase.PAUSED


async def test_a_breach_that_must_persist_does_so_from_its_beginning_although_no_status_could_be_written() -> None:
    house = await at_ten_percent(steps=STEPS, critical={"above": "5", "for": "2m"})
    goes_away(house, ROLLOUT)
    house.sources.values["v2"] = 9
    for _ in range(10):
        await house.look(10)
    assert exposes_v2(house)
    for _ in range(5):
        await house.look(10)
    assert not exposes_v2(house)


async def test_a_warning_whose_commit_failed_once_is_told_all_the_same() -> None:
    house = await at_ten_percent(steps=[{"weight": 10, "holdFor": "55s"}, {"weight": 100}], warning={"above": "2"})
    failures = [AWAY]
    house.cluster.fault = lambda kind, _subresource: failures.pop() if kind == ROLLOUT and failures else None
    house.sources.values["v2"] = 3
    await house.look(10)
    assert not failures
    await house.look(1)
    assert house.status["weight"] == 100
    house.announcer.start()
    await house.announcer.stop()
    events: list[Any] = [raw for (kind, _, _), raw in house.cluster.objects.items() if kind.kind == "Event"]
    assert "CheckWarning" in [event["reason"] for event in events]
