"""Complete lists of everything watched: before any decision, every few minutes for what a watch lost, and for one kind
whenever its watch begins anew, since that tells of what is there and not of what was deleted meanwhile.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from headgate.cluster.client import Client
from headgate.cluster.metadata import identity
from headgate.cluster.objects import (
    CONFIG_MAP,
    FEATURE_FLAG,
    HTTP_ROUTE,
    PROMPT_VERSION,
    QUALITY_GATE,
    ROLLOUT,
    WATCH_LABEL,
    ClusterError,
    Kind,
    NotFound,
    Refused,
)
from headgate.cluster.segments import collection_path
from headgate.controller import clock
from headgate.controller.news import News

LABELS = {CONFIG_MAP: f"{WATCH_LABEL}=true"}
"""Which objects of a kind are watched; all of them where nothing is said."""
REQUIRED = (PROMPT_VERSION, QUALITY_GATE, CONFIG_MAP, ROLLOUT)
OPTIONAL = (HTTP_ROUTE, FEATURE_FLAG)
_RETRY = 2.0
_PATIENCE = 2
_SOON = 60.0
"""After a list that failed the next one comes so soon; and nothing is wrong with this process before some of them."""
_log = logging.getLogger(__name__)


class Resync:
    """Lists, and tells the news of what is there and what is not."""

    def __init__(
        self,
        client: Client,
        news: News,
        namespace: str | None,
        after: Callable[[], Awaitable[None]],
        *,
        period: float,
    ) -> None:
        """``after`` is called when a complete list of everything is in, which is asked for each ``period`` seconds."""
        self._client = client
        self._news = news
        self._namespace = namespace
        self._after = after
        self._period = period
        self._begun_anew: set[str] = set()
        self._sooner = asyncio.Event()
        self._finished = clock.monotonic()
        self.watchable: tuple[Kind, ...] = ()
        """The kinds that may be watched, known after the first lists."""
        self.unwatched: Kind | None = None
        """A kind of targets that came after the start and whose watch did not begin."""
        self.complete = False
        """Whether everything was listed once."""
        self.waits_for = "the first lists"
        """Why not, in one line."""

    async def begin(self) -> None:
        """Lists everything, and goes on trying until it could."""
        while True:
            try:
                await self._all()
            except ClusterError as error:
                if str(error) != self.waits_for:
                    _log.warning("not ready: %s", error)
                self.waits_for = str(error)
                await asyncio.sleep(_RETRY)
            else:
                self.complete = True
                return

    def watch_began(self, path: str) -> None:
        """A watch began with a list of what is at that path: what was deleted before is to be found, by a list too."""
        self._begun_anew.add(path)
        self._sooner.set()

    async def run(self) -> None:
        """Lists everything again and again, and in between the kinds whose watches began anew."""
        due = clock.monotonic() + self._period
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due - clock.monotonic()):
                    await self._sooner.wait()
            await self._what_began_anew()
            if clock.monotonic() >= due:
                wait = self._period if await self._again() else min(self._period, _SOON)
                due = clock.monotonic() + wait

    @property
    def is_overdue(self) -> bool:
        """Whether lists have failed for so long that something is wrong with this process or its connection."""
        return self.complete and clock.monotonic() - self._finished > (1 + _PATIENCE) * max(self._period, _SOON)

    async def _again(self) -> bool:
        try:
            await self._all()
        except ClusterError as error:
            _log.warning("resync: %s", error)
            return False
        return True

    async def _what_began_anew(self) -> None:
        self._sooner.clear()
        begun, self._begun_anew = self._begun_anew, set()
        for kind in (*self.watchable, *self._news.targets.served):
            path = collection_path(kind, self._namespace)
            if path not in begun:
                continue
            try:
                await self._list(kind)
            except NotFound:
                continue
            except ClusterError as error:
                _log.warning("what was deleted meanwhile is not known yet: %s", error)
                asyncio.get_running_loop().call_later(_RETRY, self.watch_began, path)

    async def _all(self) -> None:
        await self._targets()
        watchable = [kind for kind in OPTIONAL if await self._optional(kind)]
        for kind in REQUIRED:
            try:
                await self._list(kind)
            except NotFound as error:
                raise NotFound(f"{kind.kind} is not served: install headgate's CRDs ({error})") from error
        self.watchable = (*REQUIRED, *watchable)
        self._finished = clock.monotonic()
        await self._after()

    async def _optional(self, kind: Kind) -> bool:
        """Whether the kind may be watched; one that nobody has installed may, since it may come."""
        try:
            await self._list(kind)
        except NotFound:
            return True
        except Refused as error:
            _log.info("%s is not watched: %s", kind.kind, error)
            return False
        return True

    async def _targets(self) -> None:
        """Finds out what the allowed targets are called in paths, and lists those that are served."""
        targets = self._news.targets
        for allowed in targets.allowed.values():
            try:
                plural = await self._client.plural(allowed.api_version, allowed.kind)
            except Refused as error:
                _log.info("%s is not watched: %s", allowed.kind, error)
                continue
            if plural is None:
                continue
            came_late = self.complete and all(known.kind != allowed.kind for known in targets.served)
            kind = targets.serves(allowed, plural)
            if await self._optional(kind):
                targets.listed(kind)
            if came_late and self._news.knows_some(kind):
                # A watch would have told of them before this list did.
                self.unwatched = kind

    async def _list(self, kind: Kind) -> None:
        listed, version = set(), 0
        async for page in self._client.pages(kind, self._namespace, LABELS.get(kind, "")):
            version = version or page.resource_version
            for raw in page.items:
                who = identity(raw)
                if who is not None:
                    listed.add(who.key)
                    self._news.seen(kind, raw)
            await asyncio.sleep(0)
        for key in self._news.unlisted(kind, listed, version):
            self._news.missing(kind, key, version)
