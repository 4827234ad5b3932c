"""Has the story told while everything is watched and shown, until it ends, fails, is interrupted or takes too long."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

import aiohttp
from rich.console import Console

from headgate.cluster.objects import CONFIG_MAP
from headgate.local.demo import api_server, flag_sync, observers
from headgate.local.demo.api_server import ApiServer
from headgate.local.demo.example import Example
from headgate.local.demo.interruption import Interruption
from headgate.local.demo.scene import Scene, StoryFailed
from headgate.local.demo.show import show
from headgate.local.demo.stage import Stage
from headgate.local.demo.story import FLAGS_CONFIG_MAP, FLAGS_KEY, NAMESPACE, ROLLOUT_NAME, Story, Told


async def perform(
    stage: Stage,
    example: Example,
    scene: Scene,
    *,
    console: Console,
    deadline: float,
    interruption: Interruption,
) -> Told:
    """The whole story; `deadline` is in seconds since the scene began.

    Raises:
        LocalError: it did not go as it should, or not in time; the text says what it waited for.
        asyncio.CancelledError: it was interrupted.
    """
    with interruption.cancelling_the_task():
        async with (
            api_server.connect(stage.control_plane.url, stage.control_plane.api.certificates) as api,
            aiohttp.ClientSession() as session,
        ):
            story = Story(stage, api, example, scene)
            await story.prepare()
            stage.start_operator()
            beside = [*_observers(stage, api, session, scene), show(console, scene, deadline)]
            return await in_time(story.tell(), beside, scene, deadline)


async def in_time(
    tell: Coroutine[None, None, Told], beside: Sequence[Coroutine[None, None, None]], scene: Scene, deadline: float
) -> Told:
    """What was told, while the endless others run beside it; they are cancelled with its end.

    Raises:
        StoryFailed: it was not told until the deadline; the text says what it waited for.
    """
    async with _running(beside) as others:
        telling = asyncio.create_task(tell)
        try:
            patience = max(0.0, deadline - scene.elapsed)
            ended, _ = await asyncio.wait({telling, *others}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for other in ended & others:
                # None of them ends by itself, so this raises what went wrong.
                other.result()
            if telling not in ended:
                raise StoryFailed(f"gave up after {deadline:.0f} s while waiting for {scene.waiting_for}")
            return telling.result()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


@asynccontextmanager
async def _running(beside: Sequence[Coroutine[None, None, None]]) -> AsyncIterator[set[asyncio.Task[None]]]:
    tasks = {asyncio.create_task(each) for each in beside}
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _observers(
    stage: Stage, api: ApiServer, session: aiohttp.ClientSession, scene: Scene
) -> list[Coroutine[None, None, None]]:
    flags = api.watch(CONFIG_MAP, NAMESPACE, name=FLAGS_CONFIG_MAP)
    return [
        flag_sync.sync(flags, FLAGS_KEY, stage.flags),
        observers.watch_rollout(api, scene, NAMESPACE, ROLLOUT_NAME),
        observers.watch_events(api, scene, NAMESPACE),
        observers.ask_service(session, scene, stage.service_url),
        observers.ask_operator(session, scene, stage.operator_url),
        observers.watch_processes(stage.running),
    ]
