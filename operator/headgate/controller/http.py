"""The operator's own HTTP: whether it lives, whether it is ready, and its metrics. Shows no object's content."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from headgate.controller.metrics import Metrics

Problem = Callable[[], str | None]
"""What is wrong, in one line; None when nothing is."""
_Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Probes:
    """Serves /healthz, /readyz and /metrics on one address."""

    def __init__(
        self,
        address: tuple[str, int],
        metrics: Metrics,
        unhealthy: Problem,
        unready: Problem,
        role: Callable[[], str],
    ) -> None:
        """``address`` is the host and the port to listen on; port 0 takes a free one. ``role`` is said when ready."""
        self._host, self._port = address
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", _probe(unhealthy, lambda: "ok")),
                web.get("/readyz", _probe(unready, role)),
                web.get("/metrics", _metrics(metrics)),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> str:
        """Listens; the address with the port that was taken. Raises OSError when it cannot."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        bound = self._runner.addresses[0]
        return f"{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()


def _probe(problem: Problem, fine: Callable[[], str]) -> _Answer:
    async def answer(_request: web.Request) -> web.Response:
        wrong = problem()
        return web.Response(status=503 if wrong else 200, text=f"{wrong or fine()}\n")

    return answer


def _metrics(metrics: Metrics) -> _Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
