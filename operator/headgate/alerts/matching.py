"""Which alerts concern which Rollouts, and what is to be stored on them. Pure: no client, no store, no clock."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from headgate.alerts.payload import Alert
from headgate.api.conditions import rfc3339
from headgate.api.rollout import AlertAction, RollbackAlert
from headgate.api.rollout_status import Attempt
from headgate.engine.alert_note import AlertNote, alert_note, severity
from headgate.engine.observation import Key, RolloutView
from headgate.engine.turn import FLIGHT

_LONGEST_NAME = 100
_LONGEST_TEXT = 900


class Bearing(StrEnum):
    """What one alert means for one Rollout that it matches."""

    TO_STORE = "ToStore"
    KNOWN = "Known"
    """It is stored already, or something more severe is."""
    BUSY = "Busy"
    """Another alert is stored that nobody has acted upon yet: this one must come again in a moment."""
    STALE = "Stale"
    """It began to fire before the attempt did."""
    IDLE = "Idle"
    """No attempt is in flight."""


@dataclass(slots=True)
class Matched:
    """What a post means for the Rollouts that it may touch."""

    notes: dict[Key, tuple[RolloutView, AlertNote]] = field(default_factory=dict)
    """By Rollout, the one alert that is to be stored on it."""
    known: set[Key] = field(default_factory=set)
    """Rollouts on which one is stored already."""
    passed_by: set[Key] = field(default_factory=set)
    """Rollouts that an alert matches and that have no attempt which it concerns."""
    bearings: Counter[Bearing] = field(default_factory=Counter)
    """How often an alert meant that for a Rollout that it matches."""


def is_bound(view: RolloutView) -> bool:
    """Whether a Rollout asks for alerts at all."""
    return view.spec is not None and view.spec.rollback is not None and bool(view.spec.rollback.alerts)


def matched(views: Iterable[RolloutView], firing: Sequence[Alert]) -> Matched:
    """Holds firing alerts against the Rollouts' matchers; what is stored on a Rollout is the most severe of them."""
    index = _index(views)
    result = Matched()
    chosen: dict[Key, _Choice] = {}
    for alert in firing:
        for key, hit in _hits(index, alert).items():
            bearing = _bearing(hit)
            result.bearings[bearing] += 1
            if bearing is Bearing.KNOWN:
                result.known.add(key)
            if bearing in (Bearing.STALE, Bearing.IDLE):
                result.passed_by.add(key)
            if bearing is Bearing.TO_STORE:
                chosen[key] = hit.beside(chosen.get(key))
    for key, choice in chosen.items():
        result.notes[key] = (choice.view, choice.note())
    return result


_Index: TypeAlias = dict[tuple[str, str], list[tuple[RolloutView, RollbackAlert]]]


def _index(views: Iterable[RolloutView]) -> _Index:
    """The matchers, each by one of its labels."""
    index: _Index = {}
    for view in views:
        for wanted in view.spec.rollback.alerts if view.spec is not None and view.spec.rollback is not None else ():
            # Fewer other alerts have this name than that severity.
            name = "alertname" if "alertname" in wanted.match else min(wanted.match)
            index.setdefault((name, wanted.match[name]), []).append((view, wanted))
    return index


def _hits(index: _Index, alert: Alert) -> "dict[Key, _Choice]":
    """By Rollout that the alert matches, the most that it does there."""
    hits: dict[Key, _Choice] = {}
    for label in alert.labels.items():
        for view, wanted in index.get(label, ()):
            if wanted.match.items() <= alert.labels.items():
                hit, known = _Choice(view, alert, wanted.action), hits.get(view.key)
                hits[view.key] = hit if known is None or hit.weight > known.weight else known
    return hits


@dataclass(frozen=True, slots=True)
class _Choice:
    """An alert that matches a Rollout, with what it asks for."""

    view: RolloutView
    alert: Alert
    action: AlertAction
    others: int = 0
    """How many more alerts of the same post ask for something."""

    @property
    def weight(self) -> int:
        return severity(self.action)

    @property
    def key(self) -> str:
        return f"{self.view.uid}/{self.alert.fingerprint}/{rfc3339(self.alert.starts_at)}"

    def beside(self, other: "_Choice | None") -> "_Choice":
        """The one of the two that is stored: the more severe, then the older."""
        if other is None:
            return self
        first = min(self, other, key=lambda each: (-each.weight, each.alert.starts_at, each.alert.fingerprint))
        return _Choice(first.view, first.alert, first.action, self.others + other.others + 1)

    def note(self) -> AlertNote:
        """What is stored of it."""
        attempt = self.view.status.attempt
        return AlertNote(
            attempt=attempt.number if attempt is not None else 0,
            action=self.action,
            key=self.key,
            name=_one_line(self.alert.labels.get("alertname", "an alert"))[:_LONGEST_NAME],
            text=f"{_words(self.alert)}{f' (and {self.others} more)' if self.others else ''}",
        )


def _bearing(hit: _Choice) -> Bearing:
    attempt = hit.view.status.attempt
    if attempt is None or attempt.state not in FLIGHT or hit.view.deleting:
        return Bearing.IDLE
    if hit.alert.starts_at < attempt.started_at:
        return Bearing.STALE
    if hit.action is not AlertAction.ROLLBACK and hit.key in attempt.alerts:
        return Bearing.KNOWN
    return _beside_what_is_stored(hit, attempt)


def _beside_what_is_stored(hit: _Choice, attempt: Attempt) -> Bearing:
    stored = alert_note(hit.view.annotations)
    if stored is None or stored.attempt != attempt.number or severity(stored.action) < hit.weight:
        return Bearing.TO_STORE
    if stored.key == hit.key or stored.action is AlertAction.ROLLBACK:
        return Bearing.KNOWN
    return Bearing.TO_STORE if stored.key in attempt.alerts else Bearing.BUSY


def _words(alert: Alert) -> str:
    name, severity = alert.labels.get("alertname", "an alert"), alert.labels.get("severity")
    told = alert.annotations
    summary = told.get("summary") or told.get("description") or told.get("message") or ""
    head = _one_line(name)[:_LONGEST_NAME] + (f" severity={_one_line(severity)[:_LONGEST_NAME]}" if severity else "")
    return f"{head}: {_one_line(summary)}"[:_LONGEST_TEXT] if summary else head


def _one_line(text: str) -> str:
    """Text of anybody's, fit for a log line and a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_TEXT])
