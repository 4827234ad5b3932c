"""An alert is stored under the state that it was matched with, or not at all; what cannot be stored is told."""

import asyncio
from collections.abc import Callable

import pytest

from headgate.alerts.payload import Post
from headgate.alerts.receiving import Receiving
from headgate.alerts.storing import NotStored
from headgate.api.rollout import AlertAction
from headgate.cluster.objects import ROLLOUT, ClusterError, Conflict, NotFound, Refused, Unavailable
from headgate.engine.alert_note import AlertNote
from headgate.engine.observation import Key
from tests.alerts import posts
from tests.alerts.rollouts import LATER, Shelves, rollout

NAMESPACES = frozenset({"ai"})


class Witnessed:
    """Counts as the metrics would."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def alert_post(self, outcome: str) -> None:
        """Not of this room's inside."""

    def alerts(self, outcome: str, count: int) -> None:
        self.seen[outcome] = self.seen.get(outcome, 0) + count

    def alert_stored(self, rollout: Key, attempt: int, received: float) -> None:
        self.seen["stored"] = self.seen.get("stored", 0) + 1


class Room:
    """The room, with a cluster in memory."""

    def __init__(self, shelves: Shelves, *, leads: bool = True, knows: bool | None = None) -> None:
        self.shelves = shelves
        self.pokes: list[Key] = []
        self.witness = Witnessed()
        shelves.store.poke_rollout = self.pokes.append
        sure = leads if knows is None else knows
        self._receiving = Receiving(
            shelves.store, shelves.cluster, self.pokes.append, self.witness, leads=lambda: leads, knows=lambda: sure
        )

    async def fire(self, namespaces: frozenset[str] = NAMESPACES, **changes: object) -> None:
        alert = posts.alert(at=LATER, fingerprint="ab")
        post = Post.model_validate({**posts.post(alert), **changes})
        await self._receiving.receive(post, namespaces, 0.0)

    @property
    def writes(self) -> int:
        return len(self.shelves.cluster.writes)


async def test_it_is_written_once_and_the_rollout_is_looked_at() -> None:
    room = Room(Shelves(rollout()))
    await room.fire()
    assert "the budget burns" in (room.shelves.annotation() or "")
    assert room.pokes == [Key("ai", "reply")]
    await room.fire()
    assert room.writes == 1
    assert room.pokes == [Key("ai", "reply")] * 2
    assert room.witness.seen == {"ToStore": 1, "stored": 1, "Known": 1}


async def test_after_a_conflict_it_is_matched_again_and_stored() -> None:
    room = Room(Shelves(rollout()))
    room.shelves.change(labels={"somebody": "else"})
    await room.fire()
    assert room.shelves.annotation() is not None
    assert room.writes == 2


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda: rollout(state="Ended"),
        lambda: rollout("reply", {"match": {"alertname": "Another"}}, generation=2),
        lambda: rollout(stored=AlertNote(3, AlertAction.ROLLBACK, "another", "n", "t").written()),
    ],
    ids=["the attempt ended", "nobody asks for it any more", "another rollback is stored"],
)
async def test_after_a_conflict_it_may_be_needless(meanwhile: Callable[[], dict[str, object]]) -> None:
    room = Room(Shelves(rollout()))
    room.shelves.cluster.put(ROLLOUT, meanwhile())  # type: ignore[arg-type]  # a Rollout is JSON
    await room.fire()
    assert "the budget burns" not in (room.shelves.annotation() or "")


async def test_a_rollout_of_the_same_name_is_told_apart() -> None:
    room = Room(Shelves(rollout()))
    room.shelves.change(uid="uid-of-another")
    await room.fire()
    assert '"uid-of-another/ab/' in (room.shelves.annotation() or "")


async def test_one_that_somebody_writes_all_the_time_is_told_to_come_again() -> None:
    room = Room(Shelves(rollout()))
    room.shelves.cluster.refuse = lambda _body: Conflict("changed")
    with pytest.raises(NotStored, match="writes it all the time"):
        await room.fire()


@pytest.mark.parametrize("error", [Unavailable("no answer"), Refused("a webhook will not have it")])
async def test_what_the_api_server_will_not_take_now_must_come_again(error: ClusterError) -> None:
    room = Room(Shelves(rollout(), rollout("summary")))
    room.shelves.cluster.refuse = lambda body: error if "summary" in str(body["metadata"]) else None
    with pytest.raises(NotStored, match=str(error)):
        await room.fire()
    # The other one is stored all the same, and no revert is timed from an alert that is not.
    assert room.shelves.annotation() is not None
    assert room.witness.seen["stored"] == 1


async def test_one_that_is_gone_needs_no_alert() -> None:
    room = Room(Shelves(rollout()))
    room.shelves.cluster.refuse = lambda _body: NotFound("gone")
    await room.fire()
    assert room.shelves.annotation() is None


@pytest.mark.parametrize(("before", "wanted"), [("Pause", "Notify"), ("Notify", "Pause"), ("Notify", "Notify")])
async def test_another_alert_that_nobody_has_acted_upon_yet_is_not_overwritten(before: str, wanted: str) -> None:
    waiting = AlertNote(3, AlertAction(before), "another", "n", "t").written()
    room = Room(Shelves(rollout("reply", {"match": posts.BURNING, "action": wanted}, stored=waiting)))
    with pytest.raises(NotStored, match="waits to be acted upon"):
        await room.fire()
    assert room.shelves.annotation() == waiting


async def test_a_rollback_waits_for_no_other_alert() -> None:
    waiting = AlertNote(3, AlertAction.PAUSE, "another", "n", "t").written()
    room = Room(Shelves(rollout(stored=waiting)))
    await room.fire()
    assert '"action": "Rollback"' in (room.shelves.annotation() or "")


async def test_other_namespaces_are_not_touched() -> None:
    room = Room(Shelves(rollout()))
    await room.fire(frozenset({"elsewhere"}))
    assert room.writes == 0
    assert not room.pokes


async def test_truncated_alerts_poke_those_that_ask_for_alerts_in_these_namespaces() -> None:
    plain = rollout("plain")
    assert isinstance(plain["spec"], dict)
    del plain["spec"]["rollback"]
    room = Room(Shelves(rollout(state="Ended"), plain))
    await room.fire(truncatedAlerts=7)
    assert room.pokes == [Key("ai", "reply")]
    assert room.writes == 0


async def test_a_standby_leaves_a_truncated_post_to_the_replica_that_can_look_again() -> None:
    room = Room(Shelves(rollout(state="Ended")), leads=False)
    with pytest.raises(NotStored, match="only the replica that leads"):
        await room.fire(truncatedAlerts=7)
    await Room(Shelves(), leads=False).fire(truncatedAlerts=7)


async def test_two_posts_at_once_write_once() -> None:
    room = Room(Shelves(rollout()))
    await asyncio.gather(*(room.fire() for _ in range(8)))
    assert room.shelves.annotation() is not None
    assert len([view for view in room.shelves.views() if view.resource_version == "102"]) == 1


async def test_a_standby_whose_watch_is_late_looks_again_before_it_says_that_nobody_is_concerned() -> None:
    begun, before = rollout(), rollout(state="Ended")
    shelves = Shelves(before)
    shelves.cluster.put(ROLLOUT, begun)
    room = Room(shelves, leads=False)
    await room.fire()
    assert "the budget burns" in (shelves.annotation() or "")
    assert [request[0] for request in shelves.cluster.requests] == ["get", "patch"]


async def test_a_leader_of_late_whose_lists_were_old_looks_again_too() -> None:
    shelves = Shelves(rollout(state="Ended"))
    shelves.cluster.put(ROLLOUT, rollout())
    await Room(shelves, knows=False).fire()
    assert "the budget burns" in (shelves.annotation() or "")


async def test_many_at_rest_keep_no_alert_from_the_one_in_flight() -> None:
    room = Room(Shelves(rollout()), knows=False)
    for number in range(101):
        idle = rollout(f"idle-{number}", state="Ended")
        room.shelves.store.saw_rollout(room.shelves.cluster.put(ROLLOUT, idle))
    with pytest.raises(NotStored, match="101 Rollouts"):
        await room.fire()
    assert "the budget burns" in (room.shelves.annotation() or "")


async def test_a_standby_whose_watch_is_late_takes_no_alert_of_an_earlier_attempt_for_that_of_this_one() -> None:
    taken_back = rollout(stored=AlertNote(3, AlertAction.ROLLBACK, "another", "n", "t").written())
    shelves = Shelves(taken_back)
    shelves.cluster.put(ROLLOUT, rollout(number=4, stored=AlertNote(3, AlertAction.ROLLBACK, "a", "n", "t").written()))
    room = Room(shelves, leads=False)
    await room.fire()
    assert '"attempt": 4' in (shelves.annotation() or "")
    await room.fire()
    assert room.writes == 1


async def test_how_long_a_revert_takes_is_measured_by_the_one_that_reverts() -> None:
    room = Room(Shelves(rollout()), leads=False)
    await room.fire()
    assert room.shelves.annotation() is not None
    assert "stored" not in room.witness.seen


async def test_a_standby_that_cannot_look_again_asks_for_the_post_again() -> None:
    room = Room(Shelves(*(rollout(f"reply-{number}", state="Ended") for number in range(101))), leads=False)
    with pytest.raises(NotStored, match="101 Rollouts"):
        await room.fire()
    leading = Room(Shelves(rollout(state="Ended")))
    await leading.fire()
    assert leading.shelves.cluster.requests == []
