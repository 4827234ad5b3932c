"""What one operator asks, in order, and which faults its requests meet. Judges nothing."""

import threading
import time
from dataclasses import dataclass

from aiohttp import web

from tests.faults.faults import Happenings
from tests.faults.points import Counting, Point, namespace_of
from tests.faults.strikes import Strike, nothing
from tests.integration.fault_proxy import Answer, Asked, Fate, Meeting, Passing


@dataclass(slots=True)
class Request:
    """A request that came by."""

    point: Point
    asked: Asked
    at: float
    """By the monotonic clock."""
    status: int | None = None
    """Of the API server's answer; None while there is none."""


class Conductor:
    """One run's requests. It is asked in the proxy's thread, and answers other threads."""

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings
        self._counting = Counting()
        self._strike: Strike = nothing
        self._news = threading.Condition()
        self.requests: list[Request] = []
        self.strikes = 0
        """How many requests met a fault."""
        self.began = 0
        """How many requests there were before those that may be struck."""

    def begin(self, strike: Strike) -> None:
        """From now on requests are counted anew, and meet those faults."""
        with self._news:
            self._counting = Counting()
            self._strike = strike
            self.began = len(self.requests)

    def act(self) -> list[Request]:
        """The requests since then."""
        with self._news:
            return self.requests[self.began :]

    def fate(self, asked: Asked) -> Fate | Meeting:
        """What becomes of a request: almost always it passes."""
        # What the watches ask for themselves is another matter.
        if not asked.agent.startswith("headgate/"):
            return Fate.PASS
        with self._news:
            request = Request(self._counting.point(asked), asked, time.monotonic())
            self.requests.append(request)
            self._news.notify_all()
            fault = self._strike(request.point)
            self.strikes += fault is not None

        async def meet(passing: Passing) -> web.StreamResponse:
            watched = Passing(asked, passing.request, lambda: self._sent(request, passing))
            if fault is not None:
                return await fault.meet(watched, self._happenings)
            return (await watched.forward()).sent()

        return meet

    async def _sent(self, request: Request, passing: Passing) -> Answer:
        answer = await passing.forward()
        with self._news:
            request.status = answer.status
            self._news.notify_all()
        return answer

    def is_quiet(self, seconds: float, *, within: float) -> bool:
        """Whether there comes a time of so many seconds without a request, before so many seconds are over."""
        began = time.monotonic()
        with self._news:
            while time.monotonic() < began + within:
                last = max(began, self.requests[-1].at if self.requests else began)
                left = last + seconds - time.monotonic()
                if left <= 0:
                    return True
                self._news.wait(timeout=left)
            return False


class Interchange:
    """Gives each request to the run of its namespace."""

    def __init__(self) -> None:
        self._conductors: dict[str, Conductor] = {}

    def add(self, namespace: str, conductor: Conductor) -> None:
        self._conductors[namespace] = conductor

    def remove(self, namespace: str) -> None:
        del self._conductors[namespace]

    def fate(self, asked: Asked) -> Fate | Meeting:
        conductor = self._conductors.get(namespace_of(asked))
        return conductor.fate(asked) if conductor is not None else Fate.PASS
