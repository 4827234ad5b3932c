"""A small multi-tenant service with a language model behind it, as product code would be: it knows its flag alone.

A program of its own, run with `python -m`. POST /reply answers a company's ticket, GET /metrics is for Prometheus, and
GET /tally tells who was served by which version.
"""

import argparse
import asyncio
import time
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ValidationError

from headgate.local.demo.assignment import Flag, NoAssignment
from headgate.local.demo.behaviour import LanguageModel
from headgate.local.demo.tally import Counting

APP = "support-reply"
_LABELS = ("app", "version")
_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)


class Ticket(BaseModel):
    """What a company asks."""

    company: str
    ticket: str = ""


class Service:
    """The handlers, and what they count."""

    def __init__(self, flag: Flag) -> None:
        self._flag = flag
        self._model = LanguageModel()
        self._counting = Counting()
        self._registry = CollectorRegistry()
        self._requests = Counter("llm_requests", "Requests.", _LABELS, registry=self._registry)
        self._errors = Counter("llm_errors", "Requests without a usable answer.", _LABELS, registry=self._registry)
        self._cost = Counter("llm_cost_dollars", "What the answers cost.", _LABELS, registry=self._registry)
        self._latency = Histogram(
            "llm_latency_seconds", "Time to an answer.", _LABELS, registry=self._registry, buckets=_BUCKETS
        )

    def application(self) -> web.Application:
        """The HTTP face."""
        application = web.Application()
        application.router.add_post("/reply", self._reply)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/tally", self._tally)
        return application

    async def _reply(self, request: web.Request) -> web.Response:
        try:
            ticket = Ticket.model_validate_json(await request.read())
            assignment = self._flag.for_company(ticket.company)
        except ValidationError as error:
            return web.json_response({"error": str(error)}, status=400)
        except NoAssignment as error:
            return web.json_response({"error": str(error)}, status=503)
        version = assignment.version
        self._counting.evaluated(ticket.company, assignment, time.time())
        answer = self._model.answer(version)
        await asyncio.sleep(answer.latency)
        self._requests.labels(APP, version).inc()
        self._latency.labels(APP, version).observe(answer.latency)
        self._cost.labels(APP, version).inc(answer.cost)
        if answer.failed:
            self._errors.labels(APP, version).inc()
            self._counting.failed(version, time.time())
            return web.json_response({"error": "the model's answer cannot be used", "version": version}, status=502)
        return web.json_response({"reply": f"Dear {ticket.company}, it is solved.", "version": version})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _tally(self, _: web.Request) -> web.Response:
        return web.Response(body=self._counting.tally().model_dump_json(), content_type="application/json")


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="The demo's service.")
    parser.add_argument("--flags", type=Path, required=True, help="the flagd document, as mounted")
    parser.add_argument("--port", type=int, required=True, help="where to listen on 127.0.0.1")
    arguments = parser.parse_args()
    flag = Flag(arguments.flags, name=APP, customer_key="companyId")
    try:
        service = Service(flag)
        web.run_app(
            service.application(),
            host="127.0.0.1",
            port=arguments.port,
            print=None,
            access_log=None,
            shutdown_timeout=1.0,
        )
    finally:
        flag.close()


if __name__ == "__main__":
    main()
