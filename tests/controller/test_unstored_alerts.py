"""An alert that the API server does not let headgate store takes back what it is about all the same."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from headgate.alerts.payload import Post
from headgate.alerts.receiving import Receiving
from headgate.alerts.storing import NotStored
from headgate.api.rollout import AlertAction
from headgate.api.rollout_status import AttemptState, Outcome
from headgate.cluster.objects import ROLLOUT, ClusterError, Json, Kind, Refused, Unavailable
from headgate.engine.alert_note import AlertNote
from tests.alerts import posts
from tests.alerts.test_storing import NAMESPACES, Witnessed
from tests.controller import documents
from tests.controller.house import REPLY, House

HELD = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


class Release:
    """v2 at 10 %, while no write of the Rollout itself is done but those of its status."""

    def __init__(self, error: ClusterError, action: str) -> None:
        self.house = House()
        self._error = error
        self._alerts = [{**posts.ALERTS[0], "action": action}]
        house = self.house
        self._receiving = Receiving(
            house.store,
            house.cluster,
            lambda _key: None,
            Witnessed(),
            unstored=house.reconcile.heed,
        )

    def ask(self, version: str, generation: int) -> None:
        asked = documents.rollout(version, gates=[], steps=HELD, rollback={"alerts": self._alerts})
        asked["metadata"].update(generation=generation)
        self.house.put(ROLLOUT, asked)

    async def begin(self) -> "Release":
        await self.house.versions("v1", "v2")
        self.ask("v1", 1)
        await self.house.look(1)
        self.ask("v2", 2)
        for _ in range(3):
            await self.house.look(1)
        assert self.house.status["weight"] == 10
        self.house.cluster.fault = self._fails
        return self

    def _fails(self, kind: Kind, subresource: str) -> ClusterError | None:
        return self._error if kind == ROLLOUT and not subresource else None

    async def fire(self) -> None:
        await self._receiving.receive(Post.model_validate(posts.post(posts.alert(at=self.house.time))), NAMESPACES, 0.0)

    @property
    def attempt(self) -> dict[str, Any]:
        found: dict[str, Any] = self.house.status["attempt"]
        return found


@pytest.mark.parametrize("error", [Unavailable("a webhook is down"), Refused("a webhook will not have it")], ids=str)
async def test_what_is_exposed_goes_back_to_0_and_alertmanager_is_asked_to_send_again(error: ClusterError) -> None:
    release = await Release(error, "Rollback").begin()
    with pytest.raises(NotStored, match="a webhook"):
        await release.fire()
    await release.house.look(1)
    assert release.house.status["weight"] == 0
    assert '"v2"' not in release.house.flags()
    assert (release.attempt["state"], release.attempt["reason"][:7]) == (AttemptState.ROLLING_BACK, "alert: ")
    release.house.cluster.fault = lambda _kind, _subresource: None
    for _ in range(4):
        await release.house.look(31)
    assert (release.attempt["state"], release.attempt["outcome"]) == (AttemptState.ENDED, Outcome.ROLLED_BACK)
    # It is over: the post that comes again is answered as any other about an attempt that has ended.
    await release.fire()
    assert "headgate.dev/alert" not in release.house.rollout["metadata"].get("annotations", {})


async def test_one_whose_write_is_not_answered_before_its_post_is_given_up_is_heard_too() -> None:
    release = await Release(Unavailable("not asked"), "Rollback").begin()
    sent = asyncio.Event()

    async def hangs(*_arguments: object, **_named: object) -> Json:
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    written, release.house.cluster.merge_patch = release.house.cluster.merge_patch, hangs  # type: ignore[method-assign]
    post = asyncio.create_task(release.fire())
    await sent.wait()
    post.cancel()
    with pytest.raises(asyncio.CancelledError):
        await post
    release.house.cluster.merge_patch = written  # type: ignore[method-assign]
    await release.house.look(1)
    assert release.house.status["weight"] == 0


async def test_one_that_only_pauses_waits_until_it_is_stored() -> None:
    release = await Release(Unavailable("a webhook is down"), "Pause").begin()
    with pytest.raises(NotStored):
        await release.fire()
    await release.house.look(1)
    assert (release.house.status["weight"], release.attempt["state"]) == (10, AttemptState.STEPPING)


async def test_it_takes_back_no_later_attempt() -> None:
    release = await Release(Unavailable("a webhook is down"), "Rollback").begin()
    with pytest.raises(NotStored):
        await release.fire()
    for _ in range(2):
        await release.house.look(1)
    release.house.cluster.fault = lambda _kind, _subresource: None
    for _ in range(4):
        await release.house.look(31)
    await release.house.versions("v3")
    release.ask("v3", 7)
    for _ in range(3):
        await release.house.look(1)
    assert (release.house.status["weight"], release.attempt["number"]) == (10, 2)


async def test_one_whose_write_conflicts_and_whose_rollout_cannot_be_read_then_is_heard_too() -> None:
    release = await Release(Unavailable("a webhook is down"), "Rollback").begin()
    house = release.house
    house.cluster.fault = lambda _kind, _subresource: None
    raw = house.rollout
    raw["metadata"]["labels"] = {"somebody": "else"}
    house.cluster.put(ROLLOUT, raw)
    house.cluster.unreadable = Unavailable("too many requests")
    with pytest.raises(NotStored, match="too many requests"):
        await release.fire()
    house.cluster.unreadable = None
    for _ in range(2):
        await house.look(1)
    assert (house.status["weight"], release.attempt["outcome"]) == (0, Outcome.ROLLED_BACK)


async def test_it_takes_back_nothing_of_the_next_rollout_of_the_name() -> None:
    release = await Release(Unavailable("a webhook is down"), "Rollback").begin()
    view = release.house.store.rollouts.get(REPLY)
    assert view is not None
    note = AlertNote(1, AlertAction.ROLLBACK, "key", "Burning", "it burns")
    release.house.reconcile.heed(replace(view, uid="of one that is gone"), note)
    await release.house.look(1)
    assert release.house.status["weight"] == 10
