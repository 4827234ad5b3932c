"""The operator's own metrics. Labels are objects' names and words of closed sets; a gone object's series go."""

import contextlib
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from headgate.api.rollout_status import Outcome, Phase, RolloutStatus, VerdictKind
from headgate.controller import clock
from headgate.engine.evidence import Evidence
from headgate.engine.observation import Key

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROLLOUT = ("namespace", "rollout")
_CHECK = (*_ROLLOUT, "gate", "check")


class Metrics:
    """Everything that /metrics shows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._weight = self._gauge("headgate_rollout_weight_percent", "Share of each arm.", (*_ROLLOUT, "arm"))
        self._phase = self._gauge("headgate_rollout_phase", "1 for the phase that it is in.", (*_ROLLOUT, "phase"))
        self._verdict = self._gauge("headgate_check_verdict", "1 for the recorded verdict.", (*_CHECK, "verdict"))
        self._value = self._gauge("headgate_check_value", "What was measured last.", (*_CHECK, "arm"))
        self._attempts = Counter(
            "headgate_attempts", "Attempts that ended.", ("namespace", "outcome"), registry=self.registry
        )
        self._reconcile = self._histogram("headgate_reconcile_seconds", "Time that a look took, without measuring.")
        self._lateness = self._histogram("headgate_lateness_seconds", "How late a look began after it was due.")
        self._revert = self._histogram(
            "headgate_breach_to_revert_seconds", "From the measured breach to every router at 0."
        )
        self._requests = Counter(
            "headgate_api_requests", "Requests to the API server.", ("verb", "kind", "result"), registry=self.registry
        )
        self._queries = Counter(
            "headgate_questions",
            "Questions put to sources, by how the answer turned out.",
            ("kind",),
            registry=self.registry,
        )
        self._alert_posts = Counter(
            "headgate_alert_posts", "Posts to /alerts, by how they ended.", ("outcome",), registry=self.registry
        )
        self._alerts = Counter(
            "headgate_alerts", "Alerts for one Rollout each, by what they meant.", ("outcome",), registry=self.registry
        )
        self._alert_revert = self._histogram(
            "headgate_alert_to_revert_seconds", "From an alert's arrival to every router at 0."
        )
        self._alerted: dict[Key, tuple[int, float]] = {}
        self._hooks = Counter(
            "headgate_hooks", "Hooks that ended after a revert, by how.", ("outcome",), registry=self.registry
        )
        self._events = Counter("headgate_events_dropped", "Events that could not be written.", registry=self.registry)
        self._shown: dict[Key, set[tuple[Gauge, tuple[str, ...]]]] = {}

    def shows_leader(self, leads: Callable[[], bool]) -> None:
        """Shows at each scrape whether this replica is the one that decides."""
        gauge = Gauge("headgate_leader", "1 where this replica decides, 0 where it stands by.", registry=self.registry)
        gauge.set_function(lambda: float(leads()))

    def request(self, verb: str, kind: str, result: str) -> None:
        """A request to the API server was answered, or not."""
        self._requests.labels(verb, kind, result).inc()

    def reconciled(self, seconds: float) -> None:
        """A look ended."""
        self._reconcile.observe(seconds)

    def late(self, seconds: float) -> None:
        """A look began that many seconds after it was due."""
        self._lateness.observe(seconds)

    def reverted(self, seconds: float) -> None:
        """Every router is at 0 after a breach."""
        self._revert.observe(max(0.0, seconds))

    def alert_post(self, outcome: str) -> None:
        """A post to /alerts ended so."""
        self._alert_posts.labels(outcome).inc()

    def alerts(self, outcome: str, count: int) -> None:
        """So many alerts, each for one Rollout, meant that."""
        self._alerts.labels(outcome).inc(count)

    def alert_stored(self, rollout: Key, attempt: int, received: float) -> None:
        """An alert that takes that attempt back was stored; it was received at that monotonic time."""
        self._alerted[rollout] = (attempt, received)

    def taken_back(self, rollout: Key, status: RolloutStatus) -> None:
        """Every router is at 0 under that status."""
        alerted, received = self._alerted.pop(rollout, (0, 0.0))
        attempt = status.attempt
        if attempt is not None and attempt.number == alerted and attempt.reason.startswith("alert: "):
            self._alert_revert.observe(clock.monotonic() - received)

    def hook_ended(self, *, succeeded: bool) -> None:
        """A hook ended that was run after a revert."""
        self._hooks.labels("Succeeded" if succeeded else "Failed").inc()

    def event_dropped(self) -> None:
        """An Event could not be written."""
        self._events.inc()

    def measured(self, rollout: Key, evidence: Evidence) -> None:
        """What a measurement answered."""
        for key, reading in evidence.items():
            self._queries.labels(reading.kind.value).inc()
            if reading.value is not None:
                labels = (rollout.namespace, rollout.name, key.gate, key.check, key.arm.value)
                self._show(rollout, self._value, labels, reading.value)

    def committed(self, rollout: Key, before: RolloutStatus, after: RolloutStatus) -> None:
        """The status that is in force now, and the one before it."""
        where = (rollout.namespace, rollout.name)
        if before.attempts != after.attempts:
            # Gates and checks are those of one attempt: else their names would pile up as fast as somebody edits them.
            self._drop(rollout, lambda gauge: gauge in (self._verdict, self._value))
        self._show(rollout, self._weight, (*where, "candidate"), after.weight)
        self._show(rollout, self._weight, (*where, "stable"), 100 - after.weight)
        self._one_of(rollout, self._phase, where, after.phase or Phase.IDLE, Phase)
        for record in after.verdicts:
            self._one_of(rollout, self._verdict, (*where, record.gate, record.check), record.verdict, VerdictKind)
        attempt = after.attempt
        if (
            attempt is not None
            and attempt.outcome is not None
            and (before.attempt is None or before.attempt.number != attempt.number or before.attempt.outcome is None)
        ):
            self._attempts.labels(rollout.namespace, attempt.outcome.value).inc()

    def forget(self, rollout: Key) -> None:
        """The Rollout is gone, and its series with it."""
        self._alerted.pop(rollout, None)
        self._drop(rollout, lambda _gauge: True)
        self._shown.pop(rollout, None)
        if all(known.namespace != rollout.namespace for known in self._shown):
            for outcome in Outcome:
                # Nothing is left of it that was counted; an error is only that this outcome never was.
                with contextlib.suppress(KeyError):
                    self._attempts.remove(rollout.namespace, outcome.value)

    def _drop(self, rollout: Key, which: Callable[[Gauge], bool]) -> None:
        shown = self._shown.get(rollout, set())
        for gauge, labels in [series for series in shown if which(series[0])]:
            gauge.remove(*labels)
            shown.discard((gauge, labels))

    def _one_of(self, rollout: Key, gauge: Gauge, labels: tuple[str, ...], chosen: str, choices: Iterable[str]) -> None:
        shown = self._shown.get(rollout, set())
        for choice in choices:
            # Only what was ever true has a series: not twelve for each Rollout.
            if choice == chosen or (gauge, (*labels, str(choice))) in shown:
                self._show(rollout, gauge, (*labels, str(choice)), 1.0 if choice == chosen else 0.0)

    def _show(self, rollout: Key, gauge: Gauge, labels: tuple[str, ...], value: float) -> None:
        gauge.labels(*labels).set(value)
        self._shown.setdefault(rollout, set()).add((gauge, labels))

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_FAST, registry=self.registry)
