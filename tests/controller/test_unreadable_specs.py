"""A spec that a newer release wrote, or a status: whatever cannot be read, the way back and who asks for it go on."""

import json
from typing import Any

import pytest

from headgate.alerts.payload import Post
from headgate.alerts.receiving import Receiving
from headgate.alerts.storing import NotStored
from headgate.api.conditions import ConditionStatus
from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import AttemptState, Outcome, Phase
from headgate.cli.act.kill import kill
from headgate.cluster.objects import ROLLOUT, ClusterError, Kind, Unavailable
from headgate.cluster.views import rollout_view
from tests.alerts import posts
from tests.alerts.test_storing import NAMESPACES, Witnessed
from tests.controller import documents
from tests.controller.house import House

HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]
NEWER = {"fieldOfANewerRelease": True}
HOOK = {"name": "clear", "webhook": {"name": "cache"}}


class Release:
    """v2 at 10 %, and then edits of the spec that this release cannot read as a whole."""

    def __init__(self) -> None:
        self.house = House()
        self._generation = 0

    async def begin(self, **spec: object) -> "Release":
        await self.house.versions("v1", "v2")
        self.ask("v1", **spec)
        await self.house.look(1)
        self.ask("v2", **spec)
        for _ in range(3):
            await self.house.look(1)
        assert (self.house.status["weight"], self.attempt["state"]) == (10, AttemptState.STEPPING)
        return self

    def ask(self, version: str, **spec: Any) -> None:  # noqa: ANN401 - JSON
        self._generation += 1
        asked = documents.rollout(version, gates=[], steps=HELD)
        asked["spec"] |= spec
        asked["metadata"].update(namespace="ai", generation=self._generation, creationTimestamp="2026-11-20T00:00:00Z")
        self.house.put(ROLLOUT, asked)

    async def look(self, times: int = 4) -> None:
        for _ in range(times):
            await self.house.look(5)

    async def fire(self) -> None:
        """An alert that began to fire just now, as Alertmanager posts it."""
        house = self.house
        receiving = Receiving(house.store, house.cluster, lambda _key: None, Witnessed(), knows=lambda: True)
        await receiving.receive(Post.model_validate(posts.post(posts.alert(at=house.time))), NAMESPACES, 0.0)

    @property
    def attempt(self) -> dict[str, Any]:
        found: dict[str, Any] = self.house.status["attempt"]
        return found

    def ended(self) -> tuple[int, str, str | None]:
        return self.house.status["weight"], self.attempt["state"], self.attempt.get("outcome")

    def default(self) -> str:
        """What the flag serves to everybody whom no rule is about."""
        found: str = json.loads(self.house.flags())["flags"]["reply"]["defaultVariant"]
        return found


BACK = (0, AttemptState.ENDED, Outcome.ROLLED_BACK)


async def test_the_kill_switch_takes_an_attempt_back_although_the_spec_cannot_be_read() -> None:
    release = await Release().begin()
    release.ask("v2", **NEWER)
    await release.look(1)
    assert (release.house.status["phase"], release.house.status["weight"]) == (Phase.HOLDING, 10)
    view = rollout_view(release.house.rollout)
    assert view is not None
    assert "everybody gets v1 at once" in kill(view, KillSwitch.STABLE).says
    release.ask("v2", **NEWER, killSwitch="Stable")
    await release.look()
    assert release.ended() == BACK
    assert "v2" not in release.house.flags()


@pytest.mark.parametrize("word", ["Stable", "Legacy", "AWordOfANewerRelease", ["Stable"], 1])
async def test_a_kill_switch_that_is_turned_to_anything_but_off_takes_the_attempt_back(word: object) -> None:
    release = await Release().begin()
    release.ask("v2", **NEWER, killSwitch=word)
    await release.look()
    assert release.ended() == BACK
    assert release.default() == ("legacy" if word == "Legacy" else "stable")


async def test_nobody_flips_from_the_legacy_path_when_the_spec_becomes_unreadable_in_the_middle_of_a_way_back() -> None:
    release = await Release().begin()
    house = release.house
    release.ask("v2", killSwitch="Legacy")
    committed = 0

    def fault(kind: Kind, subresource: str) -> ClusterError | None:
        """The way back is begun and not ended."""
        nonlocal committed
        committed += (kind, subresource) == (ROLLOUT, "status")
        return Unavailable("no answer") if (kind, subresource) == (ROLLOUT, "status") and committed > 1 else None

    house.cluster.fault = fault
    await house.look(1)
    await house.look(1)
    assert (release.attempt["state"], release.default()) == (AttemptState.ROLLING_BACK, "legacy")
    house.cluster.fault = lambda _kind, _subresource: None
    release.ask("v2", killSwitch="Legacy", **NEWER)
    await house.look(11)
    await release.look()
    assert (release.ended(), release.default()) == (BACK, "legacy")


async def test_the_legacy_path_is_not_called_delivered_where_nobody_knows_the_routers() -> None:
    release = await Release().begin()
    house = release.house
    house.annotate(abort="1")
    await release.look()
    release.ask("v1", **NEWER, killSwitch="Legacy")
    await release.look()
    delivered = next(each for each in house.status["conditions"] if each["type"] == "Delivered")
    assert delivered["status"] == ConditionStatus.FALSE
    assert "the spec cannot be read" in delivered["message"]


async def test_nothing_rises_under_a_spec_that_cannot_be_read() -> None:
    release = await Release().begin()
    release.ask("v2", **NEWER, killSwitch="Off")
    for _ in range(3):
        await release.house.look(7200)
    assert release.ended()[:2] == (10, AttemptState.STEPPING)


async def test_an_alert_is_stored_and_acted_upon_although_the_spec_cannot_be_read() -> None:
    rollback = {"alerts": posts.ALERTS}
    release = await Release().begin(rollback=rollback)
    release.ask("v2", **NEWER, rollback=rollback)
    await release.look(1)
    await release.fire()
    await release.look()
    assert release.ended() == BACK


@pytest.mark.parametrize(
    "rollback",
    [
        {"alerts": [{"match": {"alertname": "A"}, "matchAlso": 1}]},
        {"alerts": {"a": 1}},
        ["alerts"],
        {"alerts": [*posts.ALERTS, {"action": "Sing"}]},
    ],
)
async def test_an_alert_must_come_again_while_nobody_can_tell_for_whom_it_is(rollback: object) -> None:
    release = await Release().begin(rollback={"alerts": posts.ALERTS})
    release.ask("v2", rollback=rollback)
    await release.look(1)
    with pytest.raises(NotStored):
        await release.fire()
    release.ask("v2", rollback={"alerts": posts.ALERTS})
    await release.look(1)
    await release.fire()
    await release.look()
    assert release.ended() == BACK


async def test_with_no_attempt_in_flight_an_alert_is_no_ones_although_the_spec_cannot_be_read() -> None:
    release = await Release().begin()
    release.house.annotate(abort="1")
    await release.look()
    release.ask("v1", rollback={"alerts": {"a": 1}})
    await release.look(1)
    await release.fire()


async def test_an_alert_must_come_again_while_the_status_of_the_attempt_cannot_be_read() -> None:
    release = await Release().begin(rollback={"alerts": posts.ALERTS})
    house = release.house
    raw = house.rollout
    raw["status"]["attempt"]["state"] = "AWordOfANewerRelease"
    house.tell(ROLLOUT, house.cluster.put(ROLLOUT, raw))
    with pytest.raises(NotStored):
        await release.fire()


async def test_hooks_that_can_be_read_are_run_after_a_revert_although_the_spec_cannot_be() -> None:
    release = await Release().begin(rollback={"after": [HOOK]})
    release.ask("v2", **NEWER, rollback={"after": [HOOK, {**HOOK, "how": "new"}, HOOK], "moreOfIt": 1})
    release.house.annotate(abort="1")
    await release.look()
    assert release.ended() == BACK
    assert [hook["name"] for hook in release.house.status["after"]] == ["clear"]


@pytest.mark.parametrize("more", [NEWER, {"gates": 1}, {"prompt": {"family": "reply", "version": "v2", **NEWER}}])
async def test_a_revert_puts_the_version_back_in_a_spec_that_cannot_be_read(more: dict[str, object]) -> None:
    release = await Release().begin()
    release.ask("v2", **more)
    release.house.annotate(abort="1")
    await release.look()
    spec = release.house.rollout["spec"]
    assert (release.ended(), spec["prompt"]["version"]) == (BACK, "v1")
    assert {**spec, "prompt": {**spec["prompt"], "version": "v2"}}.items() >= more.items()


async def test_nor_is_it_touched_there_where_it_is_to_be_left_alone() -> None:
    release = await Release().begin()
    release.ask("v2", **NEWER, rollback={"revertSpec": "Never"})
    release.house.annotate(abort="1")
    await release.look()
    assert (release.ended(), release.house.rollout["spec"]["prompt"]["version"]) == (BACK, "v2")
    assert release.attempt["stillAsked"] is True


async def test_a_revert_ends_although_nobody_can_read_what_is_asked_for() -> None:
    release = await Release().begin()
    asked = {"family": "reply", "version": {"ofANewerRelease": "v2"}}
    release.ask("v2", prompt=asked)
    release.house.annotate(abort="1")
    await release.look()
    assert (release.ended(), release.house.rollout["spec"]["prompt"]) == (BACK, asked)
