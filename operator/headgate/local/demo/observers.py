"""Looks at the API server, the service and the operator while the demo runs, and tells the scene what it sees."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp
from pydantic import BaseModel

from headgate.api.rollout_status import RolloutStatus
from headgate.cluster.objects import EVENT, ROLLOUT
from headgate.local.demo import operator_metrics
from headgate.local.demo.api_server import ApiServer
from headgate.local.demo.scene import Happening, Scene, StoryFailed
from headgate.local.demo.tally import Tally
from headgate.local.processes import Process

_PERIOD = 0.2
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class _Prompt(BaseModel):
    version: str


class _Spec(BaseModel):
    prompt: _Prompt


class _Rollout(BaseModel):
    spec: _Spec
    status: RolloutStatus = RolloutStatus()


async def watch_rollout(api: ApiServer, scene: Scene, namespace: str, name: str) -> None:
    """Follow the Rollout."""
    async for state in api.watch(ROLLOUT, namespace, name=name):
        rollout = _Rollout.model_validate(state)
        scene.saw_rollout(rollout.spec.prompt.version, rollout.status)


async def watch_events(api: ApiServer, scene: Scene, namespace: str) -> None:
    """Follow the Events of the namespace."""
    async for event in api.watch(EVENT, namespace):
        scene.saw_happening(
            Happening(
                # When it was seen: an Event's own times are whole seconds.
                time.time(),
                str(event.get("reason", "")),
                str(event.get("message", "")),
                warning=event.get("type") == "Warning",
            )
        )


async def ask_service(session: aiohttp.ClientSession, scene: Scene, url: str) -> None:
    """Follow whom the service serves; it need not run yet."""
    while True:
        if (answer := await _get(session, f"{url}/tally")) is not None:
            scene.saw_tally(Tally.model_validate_json(answer))
        await asyncio.sleep(_PERIOD)


async def ask_operator(session: aiohttp.ClientSession, scene: Scene, url: str) -> None:
    """Follow what the operator measures."""
    while True:
        if (answer := await _get(session, f"{url}/metrics")) is not None:
            metrics = operator_metrics.read(answer.decode())
            scene.saw_measured(metrics.measured, metrics.breach_to_revert)
        await asyncio.sleep(_PERIOD)


async def watch_processes(processes: Sequence[Process]) -> None:
    """Notice when one of them ends by itself.

    Raises:
        StoryFailed: one did.
    """
    while True:
        for process in processes:
            if not process.is_running():
                raise StoryFailed(f"{process.name} ended by itself: {process.last_words()}")
        await asyncio.sleep(_PERIOD)


async def _get(session: aiohttp.ClientSession, address: str) -> bytes | None:
    try:
        async with session.get(address, timeout=_TIMEOUT) as answer:
            return await answer.read() if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError):
        return None
