"""A crash after a write, and lists after it that are as old as before: the truth comes later, by the watches."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from tests.faults.course import Course
from tests.faults.faults import Fault, Happenings
from tests.faults.playing import play
from tests.faults.points import Point
from tests.faults.scenarios import Scenario
from tests.faults.strikes import Once
from tests.faults.world import Place, World
from tests.integration.cluster import Document, Refused, Server
from tests.integration.fault_proxy import Passing

_SECONDS = 2.0
"""How long the truth is kept back after the first list was answered with an old state; longer is no harder."""
_LISTED = {
    "Rollout": "",
    "PromptVersion": "",
    "QualityGate": "",
    "InferenceService": "",
    "HTTPRoute": "",
    "FeatureFlag": "",
    "ConfigMap": "labelSelector=headgate.dev/watch%3Dtrue",
}
"""What the operator lists, and how it chooses."""
JUST_BEFORE, BEFORE_THE_RELEASE = "lists from before the write", "lists from before the release"


def photographed(world: World) -> dict[str, Document]:
    """The answers that lists have now, by path."""
    server = Server(world.here.plane)
    found: dict[str, Document] = {}
    for kind, query in _LISTED.items():
        path = world.namespace.path(kind)
        try:
            found[path] = server.send("GET", f"{path}?{query}")
        except Refused as refused:
            if refused.status != 404:
                raise
    server.close()
    return found


def played(scenario: Scenario, point: Point, since: str, here: Place, clean: Course) -> tuple[Course, bool]:
    """That scenario with a crash just after that write; its lists are as old as ``since`` says."""
    before: dict[str, Document] = {}

    def act(world: World) -> None:
        if since == BEFORE_THE_RELEASE:
            before.update(photographed(world))
        scenario.act(world)

    fault = Fault(f"SIGKILL after it, then {since}", since, _struck(before))
    return play(here, replace(scenario, act=act), Once(fault, point), clean)


def _struck(before: dict[str, Document]) -> Callable[[Passing, Happenings], Awaitable[web.StreamResponse]]:
    async def meet(passing: Passing, world: Happenings) -> web.StreamResponse:
        assert isinstance(world, World)
        old = before or await asyncio.to_thread(photographed, world)
        await passing.forward()
        world.here.proxy.deceive(f"/namespaces/{world.name}/", old, seconds=_SECONDS)
        world.kill()
        return passing.reset()

    return meet
