"""What can happen to one request on its way to the API server and back. A fault knows no operator and no release."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiohttp import web

from tests.integration.fault_proxy import Asked, Passing


class Happenings(Protocol):
    """What else happens at that moment."""

    def kill(self) -> None:
        """The operator ends at once, and is started again."""
        ...

    def overtake(self, asked: Asked) -> None:
        """Somebody else writes the object that the request is about."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens once, to one request."""

    name: str
    sort: str
    """Faults of one sort are much alike to the operator."""
    meet: Callable[[Passing, Happenings], Awaitable[web.StreamResponse]]
    """What becomes of the request."""
    only: str = ""
    """The method of the requests that it can meet; empty for all."""


async def _killed_before(passing: Passing, at: Happenings) -> web.StreamResponse:
    at.kill()
    return passing.reset()


async def _killed_after(passing: Passing, at: Happenings) -> web.StreamResponse:
    await passing.forward()
    at.kill()
    return passing.reset()


async def _answered(
    passing: Passing, _at: Happenings, *, status: int, reason: str, commits: bool = False, after: str = ""
) -> web.StreamResponse:
    if commits:
        await passing.forward()
    return _status(status, reason, {"Retry-After": after} if after else {})


async def _by_a_proxy(passing: Passing, _at: Happenings, *, status: int, commits: bool = False) -> web.StreamResponse:
    """As a load balancer before the API server says it: HTML."""
    if commits:
        await passing.forward()
    return web.Response(status=status, text=f"<html><body><h1>{status}</h1></body></html>", content_type="text/html")


async def _reset(passing: Passing, _at: Happenings, *, commits: bool) -> web.StreamResponse:
    if commits:
        await passing.forward()
    return passing.reset()


async def _cut_short(passing: Passing, _at: Happenings) -> web.StreamResponse:
    """The connection ends in the midst of the answer."""
    return await passing.cut_short(await passing.forward())


async def _half(passing: Passing, _at: Happenings) -> web.StreamResponse:
    """The first half of the JSON, as if it were the whole."""
    answer = await passing.forward()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
    return web.Response(status=answer.status, headers=headers, body=answer.body[: len(answer.body) // 2])


async def _overtaken(passing: Passing, at: Happenings) -> web.StreamResponse:
    """The precondition does not hold any more: the API server itself refuses."""
    await asyncio.to_thread(at.overtake, passing.asked)
    return (await passing.forward()).sent()


async def _silent(passing: Passing, _at: Happenings) -> web.StreamResponse:
    """Nothing comes back for longer than the operator waits."""
    answer = await passing.forward()
    await asyncio.sleep(SILENCE)
    return answer.sent()


def _status(code: int, reason: str, headers: dict[str, str]) -> web.Response:
    """As the API server says it."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"a test lets this request fail: {reason}",
        "reason": reason,
        "code": code,
    }
    return web.Response(status=code, headers=headers, text=json.dumps(status), content_type="application/json")


SILENCE = 12.0
"""Seconds; the operator waits ten for an answer."""

_answer = partial(partial, _answered)
KILLS = (
    Fault("SIGKILL before it arrived", "killed before", _killed_before),
    Fault("SIGKILL after it was done", "killed after", _killed_after),
)
UNAVAILABLE = Fault("500", "unavailable", _answer(status=500, reason="InternalError"))
WRITES = (
    *KILLS,
    Fault("done, then 500", "unanswered", _answer(status=500, reason="InternalError", commits=True)),
    Fault("done, then 504", "unanswered", partial(_by_a_proxy, status=504, commits=True)),
    Fault("done, then reset", "unanswered", partial(_reset, commits=True)),
    Fault("done, then half the JSON", "unanswered", _half),
    Fault("done, then cut off", "unanswered", _cut_short),
    UNAVAILABLE,
    Fault("503", "unavailable", _answer(status=503, reason="ServiceUnavailable")),
    Fault("504", "unavailable", partial(_by_a_proxy, status=504)),
    Fault("reset", "unavailable", partial(_reset, commits=False)),
    Fault("a foreign write comes first", "overtaken", _overtaken, only="PATCH"),
    Fault("409", "refused", _answer(status=409, reason="Conflict")),
    Fault("422", "refused", _answer(status=422, reason="Invalid")),
    Fault("429 with Retry-After", "unavailable", _answer(status=429, reason="TooManyRequests", after="1")),
    Fault("401", "unavailable", _answer(status=401, reason="Unauthorized")),
)
"""What each write of a clean run meets."""

SLOW = (Fault("done, then silence", "unanswered", _silent),)
"""What takes so long that it meets one request of each kind."""

READS = (
    UNAVAILABLE,
    Fault("503", "unavailable", _answer(status=503, reason="ServiceUnavailable")),
    Fault("reset", "unavailable", partial(_reset, commits=False)),
    Fault("half the JSON", "garbled", _half),
    Fault("cut off", "garbled", _cut_short),
    Fault("429 with Retry-After", "unavailable", _answer(status=429, reason="TooManyRequests", after="1")),
    Fault("401", "unavailable", _answer(status=401, reason="Unauthorized")),
)
"""What each read of a clean run meets."""
