"""Lists find what watches did not tell: when one begins anew, and every now and then."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from headgate.cluster.client import Client, Page
from headgate.cluster.objects import CONFIG_MAP, PROMPT_VERSION, QUALITY_GATE, ROLLOUT, Json, Kind, Unavailable
from headgate.cluster.store import Store
from headgate.controller.news import News
from headgate.controller.resync import Resync
from headgate.engine.observation import Key, RolloutView
from tests.controller import documents

REPLY, V1 = Key("ai", "reply"), Key("ai", "v1")
ROLLOUTS = "/apis/headgate.dev/v1alpha1/rollouts"
LONG = 3600.0


class Lists:
    """What the API server lists; it can be told to fail."""

    def __init__(self) -> None:
        self.objects: dict[Kind, list[Json]] = {ROLLOUT: [], PROMPT_VERSION: [], QUALITY_GATE: [], CONFIG_MAP: []}
        self.version = 100
        self.failures = 0
        self.asked: list[Kind] = []

    async def pages(self, kind: Kind, namespace: str | None, label_selector: str = "") -> AsyncIterator[Page]:
        self.asked.append(kind)
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise Unavailable("no answer")
        yield Page(tuple(self.objects.get(kind, ())), self.version)


class Room:
    """A resync with a store, and what the store lost."""

    def __init__(self, period: float = LONG) -> None:
        self.lists = Lists()
        self.lost: list[Key] = []
        self.store = Store()

        def lose(view: RolloutView) -> None:
            self.lost.append(view.key)

        async def after() -> None:
            """Nothing follows here."""

        client = cast(Client, self.lists)
        self.resync = Resync(client, News(self.store, lose), None, after, period=period)

    async def has_begun(self) -> None:
        self.lists.objects[ROLLOUT] = [there(documents.rollout("v1"))]
        self.lists.objects[PROMPT_VERSION] = [there(documents.version("v1"))]
        await self.resync.begin()
        assert self.store.rollouts.get(REPLY) is not None
        self.lists.asked.clear()
        self.lists.version += 1


def there(document: Json) -> Json:
    metadata = cast(Json, document["metadata"])
    return {
        **document,
        "metadata": {
            **metadata,
            "namespace": "ai",
            "uid": "u",
            "resourceVersion": "50",
            "generation": 1,
            "creationTimestamp": "2026-11-21T12:00:00Z",
        },
    }


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    await made.has_begun()
    running = asyncio.create_task(made.resync.run())
    yield made
    running.cancel()


async def test_what_was_deleted_before_a_watch_began_anew_is_found_by_a_list_of_that_kind_alone(room: Room) -> None:
    room.lists.objects[ROLLOUT].clear()
    room.resync.watch_began(ROLLOUTS)
    await until(lambda: room.lost == [REPLY])
    assert room.lists.asked == [ROLLOUT]


async def test_a_list_that_fails_is_asked_for_again(room: Room) -> None:
    room.lists.objects[ROLLOUT].clear()
    room.lists.failures = 1
    room.resync.watch_began(ROLLOUTS)
    await until(lambda: room.lost == [REPLY])
    assert room.lists.asked == [ROLLOUT, ROLLOUT]


async def test_a_list_that_is_older_than_what_is_known_loses_nothing(room: Room) -> None:
    room.lists.objects[ROLLOUT].clear()
    room.lists.version = 49
    room.resync.watch_began(ROLLOUTS)
    await until(lambda: room.lists.asked == [ROLLOUT])
    room.resync.watch_began(ROLLOUTS)
    await until(lambda: room.lists.asked == [ROLLOUT, ROLLOUT])
    assert room.lost == []


async def test_a_watch_of_what_nobody_asked_for_lists_nothing(room: Room) -> None:
    room.resync.watch_began("/api/v1/namespaces")
    room.resync.watch_began(ROLLOUTS)
    await until(lambda: bool(room.lists.asked))
    assert room.lists.asked == [ROLLOUT]


async def test_everything_is_listed_every_now_and_then_although_watches_begin_anew_all_the_time() -> None:
    room = Room(period=0.05)
    await room.has_begun()
    running = asyncio.create_task(room.resync.run())
    room.lists.objects[PROMPT_VERSION].clear()

    def is_lost() -> bool:
        room.resync.watch_began(ROLLOUTS)
        return room.store.versions.get(V1) is None

    await until(is_lost)
    running.cancel()


async def test_an_object_that_is_not_understood_keeps_no_other_of_its_list_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room, understood = Room(), Store.saw_version

    def saw_version(store: Store, raw: Json) -> None:
        if cast(Json, raw["metadata"])["name"] == "odd":
            raise RecursionError
        understood(store, raw)

    monkeypatch.setattr(Store, "saw_version", saw_version)
    room.lists.objects[PROMPT_VERSION] = [there(documents.version("odd")), there(documents.version("v1"))]
    await room.resync.begin()
    assert room.resync.complete
    assert room.store.versions.get(V1) is not None
    assert "news of a PromptVersion was not understood" in caplog.text
