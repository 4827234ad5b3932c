"""A Prometheus for timing: answers the benchmarks' own queries at once, turns bad on command, and remembers when.

A program of its own (`python -m bench.stand_in PORT`), so that asking and answering do not share an interpreter. It
understands exactly the queries of bench/documents.py, alone or coalesced, and refuses all others as Prometheus does.
"""

import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from aiohttp import web

from bench.documents import STABLE

_MEMBER = re.compile(r'label_replace\(\((?P<query>.*?)\), "headgate_id", "(?P<id>k\d+)", "", ""\)')
_SELECTOR = re.compile(r'(?P<metric>llm_[a-z_]+)\{app="(?P<app>[^"]+)",version="(?P<version>[^"]+)"\}')
_GOOD = {
    "llm_errors_total": "10",
    "llm_requests_total": "1000",
    "llm_latency_seconds_bucket": "0.4",
    "llm_cost_dollars_total": "0.002",
}
_BAD = {**_GOOD, "llm_errors_total": "300"}
EVERYBODY = "*"


@dataclass(slots=True)
class _Memory:
    bad: set[str] = field(default_factory=set)
    first_bad: dict[str, float] = field(default_factory=dict)
    """When an app's candidate was first shown to be bad: just before the answer was sent."""
    asked_at: dict[str, float] = field(default_factory=dict)
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=1_000_000))
    """Seconds from one question about an app's candidate's errors to the next."""
    first_question: float | None = None
    requests: int = 0
    queries: int = 0

    def clear(self) -> None:
        """As at the start."""
        for each in (self.bad, self.first_bad, self.asked_at, self.gaps):
            each.clear()
        self.first_question = None
        self.requests = self.queries = 0


_MEMORY = web.AppKey("memory", _Memory)


def application() -> web.Application:
    """The server: Prometheus' instant query, and `/bench` to command it and to ask what it remembers."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app[_MEMORY] = _Memory()
    app.add_routes(
        [
            web.get("/-/ready", _ready),
            web.post("/api/v1/query", _query),
            web.post("/bench/bad", _turn_bad),
            web.post("/bench/forget", _forget),
            web.get("/bench/memory", _recall),
        ]
    )
    return app


async def _ready(_request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


async def _query(request: web.Request) -> web.Response:
    memory = request.app[_MEMORY]
    text = str((await request.post()).get("query", ""))
    now = time.time()
    memory.requests += 1
    memory.first_question = memory.first_question or now
    members = [(found["id"], found["query"]) for found in _MEMBER.finditer(text)] or [(None, text)]
    newly_bad: list[str] = []
    result = []
    for member, query in members:
        memory.queries += 1
        if (value := _value(memory, query, now, newly_bad)) is None:
            refusal = {"status": "error", "errorType": "bad_data", "error": f"not a query of a benchmark: {query}"}
            return web.json_response(refusal, status=400)
        labels = {} if member is None else {"headgate_id": member}
        result.append({"metric": labels, "value": [round(now, 3), value]})
    answer = web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})
    shown = time.time()
    memory.first_bad.update((app, shown) for app in newly_bad if app not in memory.first_bad)
    return answer


def _value(memory: _Memory, query: str, now: float, newly_bad: list[str]) -> str | None:
    selector = _SELECTOR.search(query)
    if selector is None or selector["metric"] not in _GOOD:
        return None
    app, metric = selector["app"], selector["metric"]
    if selector["version"] == STABLE or metric != "llm_errors_total":
        return _GOOD[metric]
    if (before := memory.asked_at.get(app)) is not None:
        memory.gaps.append(now - before)
    memory.asked_at[app] = now
    if app not in memory.bad and EVERYBODY not in memory.bad:
        return _GOOD[metric]
    newly_bad.append(app)
    return _BAD[metric]


async def _turn_bad(request: web.Request) -> web.Response:
    request.app[_MEMORY].bad.update(await request.json())
    return web.Response()


async def _forget(request: web.Request) -> web.Response:
    request.app[_MEMORY].clear()
    return web.Response()


async def _recall(request: web.Request) -> web.Response:
    memory = request.app[_MEMORY]
    return web.json_response(
        {
            "firstBad": memory.first_bad,
            "gaps": list(memory.gaps),
            "firstQuestion": memory.first_question,
            "requests": memory.requests,
            "queries": memory.queries,
        }
    )


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
