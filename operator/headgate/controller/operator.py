"""Puts the operator together and runs it: lists, watches, looks, and a clean end. Holds no rule of its own."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

import kopf
from kubernetes.aio.client.configuration import Configuration as ClientConfiguration

from headgate.aftermath.webhooks import Webhooks
from headgate.alerts.receiving import Receiving
from headgate.alerts.server import AlertServer
from headgate.api.configuration import Configuration
from headgate.api.quantities import seconds
from headgate.cluster.client import Client
from headgate.cluster.credentials import credentials
from headgate.cluster.objects import NotFound, Objects
from headgate.cluster.snapshots import Snapshots
from headgate.cluster.store import Store
from headgate.cluster.targets import Targets
from headgate.controller import clock, handlers
from headgate.controller.aftermath import Aftermath
from headgate.controller.announcer import Announcer
from headgate.controller.carrying_out import CarryingOut
from headgate.controller.http import Probes
from headgate.controller.leadership import Leadership, lease_namespace
from headgate.controller.measuring import Measuring
from headgate.controller.metrics import Metrics
from headgate.controller.news import News
from headgate.controller.observing import Observing
from headgate.controller.orphans import Orphans
from headgate.controller.prompt_versions import VersionUpkeep
from headgate.controller.quality_gates import GateJudge, GateUpkeep
from headgate.controller.reconcile import Reconcile
from headgate.controller.resync import Resync
from headgate.controller.scheduler import Scheduler
from headgate.controller.speaking import Speaking
from headgate.engine.observation import Key, RolloutView
from headgate.evidence.measure import Measurer

_WORKERS = 12
_UPKEEP_WORKERS = 2
_STUCK_SECONDS = 30.0
_DEEPEST = 25_000
"""More than the API server admits (10,000 levels): one object that is nested deeply must not end a list or a watch."""
_RESTAGE_SECONDS = 1.0
_log = logging.getLogger(__name__)


async def run(
    configuration: Configuration,
    kubeconfig: Path | None = None,
    namespace: str | None = None,
    http_address: tuple[str, int] | None = None,
    stop: asyncio.Event | None = None,
    *,
    lease_in: str | None = None,
) -> None:
    """Runs until ``stop`` is set, or until SIGTERM or SIGINT where this is the main thread.

    Decides only while it holds the Lease in the namespace ``lease_in``; for what that is when not given, see
    ``lease_namespace``.

    Raises Refused when the credentials cannot be read, OSError when an address cannot be listened on, NotLeading when
    the Lease was lost, and whatever ended a watch for good: the process is to end then, and to be started again.
    """
    stop = stop if stop is not None else asyncio.Event()
    sys.setrecursionlimit(max(_DEEPEST, sys.getrecursionlimit()))
    _listen_to_signals(stop)
    metrics = Metrics()
    configured = await credentials(kubeconfig)
    # A client of its own, so that a renewal waits behind no other request, and may be sent when nothing else may.
    renewing = Client(configured, metrics.request)
    leadership = Leadership(renewing, lease_namespace(lease_in, kubeconfig), namespace)
    client = Client(configured, metrics.request, leadership.is_held)
    # Storing an alert decides nothing: a standby that Alertmanager reaches does it too.
    storing = Client(configured, metrics.request)
    measurer = Measurer(configuration)
    operator = _Operator(
        configuration, client, measurer, metrics, storing=storing, namespace=namespace, leadership=leadership
    )
    probes = (
        Probes(http_address, metrics, operator.unhealthy, operator.unready, operator.role)
        if http_address is not None
        else None
    )
    try:
        if probes is not None:
            _log.info("listening on %s", await probes.start())
        if operator.alerts is not None:
            _log.info("listening for alerts on %s", await operator.alerts.start())
        if not await _before(stop, operator.begin()):
            return
        await operator.watch(operator.registry(configured), stop)
    finally:
        if operator.alerts is not None:
            await operator.alerts.stop()
        await operator.end()
        if probes is not None:
            await probes.stop()
        await measurer.close()
        await operator.end_watches()
        await client.close()
        await storing.close()
        await renewing.close()
        _log.info("stopped")


class _Operator:
    """The parts, and the order in which they begin and end."""

    def __init__(
        self,
        configuration: Configuration,
        client: Client,
        measurer: Measurer,
        metrics: Metrics,
        *,
        storing: Client,
        namespace: str | None,
        leadership: Leadership,
    ) -> None:
        self._namespace = namespace
        self._silence = seconds(configuration.watches.silence)
        self._leadership = leadership
        self._leading_since: float | None = None
        metrics.shows_leader(self._leads)
        store = Store(GateJudge(configuration), Targets(configuration.targets))
        snapshots = Snapshots(client)
        required = configuration.require_service_account_name
        self._speaking = speaking = Speaking(client, snapshots, required=required)
        self._aftermath = Aftermath(
            Webhooks(configuration),
            client,
            metrics,
            writer_of=self._writer_of,
            now=clock.now,
            done=self._poke,
            may_act=leadership.is_held,
        )
        observing = Observing(store, client, snapshots, self._aftermath.problems, account_required=required)
        self._announcer = Announcer(client, metrics.event_dropped)
        self._reconcile = Reconcile(
            store=store,
            snapshots=snapshots,
            observing=observing,
            carrying_out=CarryingOut(
                store=store,
                objects=client,
                snapshots=snapshots,
                observing=observing,
                speaking=speaking,
                announcer=self._announcer,
                metrics=metrics,
                now=clock.now,
            ),
            measuring=Measuring(measurer, metrics, clock.now, self._poke),
            aftermath=self._aftermath,
            metrics=metrics,
            now=clock.now,
            poke_last=self._poke_last,
        )
        self._rollouts = Scheduler("rollouts", self._reconcile.look, workers=_WORKERS, late=metrics.late)
        self._versions = Scheduler("versions", VersionUpkeep(store, client, clock.now).look, workers=_UPKEEP_WORKERS)
        self._gates = Scheduler("gates", GateUpkeep(store, client, clock.now).look, workers=_UPKEEP_WORKERS)
        self._schedulers = (self._rollouts, self._versions, self._gates)
        self._store = store
        self._orphans = Orphans(store, client, speaking, snapshots)
        store.replaced = self._lost
        self.news = News(store, self._lost)
        self.resync = Resync(
            client,
            self.news,
            namespace,
            self._put_orphans_at_stable,
            period=seconds(configuration.watches.resync),
        )
        receiving = Receiving(
            store,
            storing,
            self._poke,
            metrics,
            unstored=self._reconcile.heed,
            leads=self._leads,
            knows=self._knows_every_attempt,
        )
        wanted = configuration.alerts
        self.alerts = AlertServer(wanted, receiving, metrics, self.unready) if wanted is not None else None
        self._stop_watches = asyncio.Event()
        self._leading: asyncio.Task[None] | None = None
        self._watches: asyncio.Task[None] | None = None
        self._resyncs: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Lists everything; nothing is decided before that."""
        await self.resync.begin()

    async def lead(self) -> None:
        """Decides from when this replica leads. Raises NotLeading when another does; never returns."""
        await self._leadership.acquire()
        self._leading_since = clock.monotonic()
        self._announcer.start()
        self._look_at_everything()
        for scheduler in self._schedulers:
            scheduler.start()
        await asyncio.gather(self._leadership.keep(), self._put_orphans_at_stable())

    def _look_at_everything(self) -> None:
        """Pokes all that is known, and from now on whatever there is news of: who stands by pokes nobody."""
        store, versions = self._store, self._versions
        store.poke_rollout, store.poke_version, store.poke_gate = self._poke, versions.poke, self._gates.poke
        # Hundreds of Rollouts may move at once with one version, and each move concerns it.
        store.restage_version = lambda key: versions.within(key, _RESTAGE_SECONDS)
        known = (store.rollouts.keys(), store.versions.keys(), store.gates.keys())
        for keys, scheduler in zip(known, self._schedulers, strict=True):
            for key in keys:
                scheduler.poke(key)

    def registry(self, credentials: ClientConfiguration) -> kopf.OperatorRegistry:
        """What kopf is to do; known once the first lists are in."""
        return handlers.registry(self.resync.watchable, self.news, credentials, self.resync.watch_began)

    async def watch(self, registry: kopf.OperatorRegistry, stop: asyncio.Event) -> None:
        """Watches, and leads when it may, until ``stop`` is set. Raises what ended either, when something did."""
        ready = asyncio.Event()
        namespace = self._namespace
        # Without it kopf looks up the user's name, which a container's UID may not have.
        os.environ.setdefault("POD_ID", "headgate")
        self._resyncs = asyncio.create_task(self.resync.run(), name="resync")
        self._watches = asyncio.create_task(
            kopf.operator(
                registry=registry,
                settings=handlers.settings(clusterwide=namespace is None, silence=self._silence),
                standalone=True,
                clusterwide=namespace is None,
                namespaces=[namespace] if namespace is not None else [],
                ready_flag=ready,
                stop_flag=self._stop_watches,
            ),
            name="watches",
        )
        self._leading = asyncio.create_task(self.lead(), name="leading")
        if await _before(stop, ready.wait(), self._watches, self._leading):
            # kopf has taken the signals for itself; they are to end the looks before the watches.
            _listen_to_signals(stop)
            _log.info("watching %s", namespace or "all namespaces")
            await _before(stop, asyncio.Event().wait(), self._watches, self._leading)
        if self._leading.done():
            await self._leading

    async def end(self) -> None:
        """Begins no look any more, waits a moment for those that run, and lets another replica lead."""
        await asyncio.gather(*(scheduler.stop() for scheduler in self._schedulers))
        await self._aftermath.stop()
        await self._announcer.stop()
        tasks = [task for task in (self._leading, self._resyncs) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leadership.release()

    async def end_watches(self) -> None:
        """Stops watching. Raises what ended the watches, when something did."""
        self._stop_watches.set()
        if self._watches is not None:
            await self._watches

    def unhealthy(self) -> str | None:
        """Why the process should be started again; None when it should not."""
        for scheduler in self._schedulers:
            if scheduler.seconds_since_beat > _STUCK_SECONDS:
                return "a scheduler does not turn"
        if self.resync.is_overdue:
            return "lists have failed for long"
        if self.resync.unwatched is not None:
            return f"{self.resync.unwatched.kind} was installed after the start and is not watched"
        if self._watches is not None and self._watches.done() and not self._stop_watches.is_set():
            return "the watches ended"
        return None

    def unready(self) -> str | None:
        """Why nothing is decided yet; None when everything is known."""
        if not self.resync.complete:
            return self.resync.waits_for
        return self._leadership.problem

    def role(self) -> str:
        """What this replica is, in one word."""
        return "leader" if self._leads() else "standby"

    def _leads(self) -> bool:
        return self._leading_since is not None and self._leadership.is_held()

    def _knows_every_attempt(self) -> bool:
        """Whether it has led for so long that a watch without news would have been begun anew."""
        since = self._leading_since
        return since is not None and self._leads() and clock.monotonic() - since > self._silence

    async def _writer_of(self, key: Key) -> Objects:
        view = self._store.rollouts.get(key)
        if view is None:
            raise NotFound(f"Rollout {key} is gone")
        return await self._speaking.for_more(view)

    async def _put_orphans_at_stable(self) -> None:
        if self._leading_since is not None:
            await self._orphans.put_at_stable()

    def _lost(self, view: RolloutView) -> None:
        # Of what was lost while it stood by, a new leader finds the routers among the orphans.
        if self._leading_since is not None:
            self._reconcile.depart(view)
            self._poke(view.key)

    def _poke(self, key: Key) -> None:
        self._rollouts.poke(key)

    def _poke_last(self, key: Key) -> None:
        self._rollouts.poke_last(key)


async def _before(stop: asyncio.Event, work: Coroutine[object, object, object], *others: asyncio.Task[None]) -> bool:
    """Whether the work was done before ``stop`` was set or one of the others ended. Raises what the work raised."""
    stopping, working = asyncio.create_task(stop.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait([stopping, working, *others], return_when=asyncio.FIRST_COMPLETED)
        # A signal that kopf took for itself makes it cancel whatever it finds: that is an end, and no failure.
        if working.done() and not working.cancelled():
            await working
            return True
        return False
    finally:
        for task in (stopping, working):
            task.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)


def _listen_to_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    # Elsewhere than in the main thread somebody else has the signals, and sets ``stop``.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
