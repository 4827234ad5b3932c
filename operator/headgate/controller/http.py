"""The operator's own HTTP: whether it lives, whether it is ready, and its metrics. Shows no object's content."""

import logging
from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from headgate.alerts.doorkeeper import Doorkeeper
from headgate.controller.metrics import Metrics

Problem = Callable[[], str | None]
"""What is wrong, in one line; None when nothing is."""
_Answer = Callable[[], web.Response]
_log = logging.getLogger(__name__)


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
        self._answers: Mapping[str, _Answer] = {
            "/healthz": _probe(unhealthy, lambda: "ok"),
            "/readyz": _probe(unready, role),
            "/metrics": _metrics(metrics),
        }
        self._runner = web.ServerRunner(Doorkeeper(self._handle), shutdown_timeout=1.0)

    async def start(self) -> str:
        """Listens; the address with the port that was taken. Raises OSError when it cannot."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        bound = self._runner.addresses[0]
        return f"{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Stops listening."""
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        try:
            response = self._answer(request)
        except Exception:  # noqa: BLE001 - what cannot be told must not end the connections of others
            _log.exception("%s could not be told", request.path)
            response = web.Response(status=500)
        # A connection that is kept may be dropped just when the next request comes; a new one costs little.
        response.force_close()
        return response

    def _answer(self, request: web.BaseRequest) -> web.Response:
        answer = self._answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        return answer()


def _probe(problem: Problem, fine: Callable[[], str]) -> _Answer:
    def answer() -> web.Response:
        wrong = problem()
        return web.Response(status=503 if wrong else 200, text=f"{wrong or fine()}\n")

    return answer


def _metrics(metrics: Metrics) -> _Answer:
    def answer() -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
