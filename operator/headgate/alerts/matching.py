"""Which alerts concern which Rollouts, and what is to be stored on them. Pure: no client, no store, no clock."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from headgate.alerts.payload import Alert
from headgate.api.conditions import rfc3339
from headgate.api.rollout import AlertAction, RollbackAlert
from headgate.engine.alert_note import AlertNote, alert_note, joined, mark, marks, severity
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
    UNREADABLE = "Unreadable"
    """It may be for an attempt of a Rollout of which too much cannot be read to tell: it must come again."""


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
    return view.orders.is_partial or bool(view.orders.rollback.alerts)


def matched(views: Iterable[RolloutView], firing: Sequence[Alert]) -> Matched:
    """Holds firing alerts against the Rollouts' matchers; what is stored on a Rollout is the most severe of them.

    Thousands of alerts may match hundreds of Rollouts at once: what is known of either alone is read once.
    """
    views = tuple(views)
    found = _found(views, firing)
    result = Matched()
    for view in views:
        if view.orders.is_partial and _may_fly(view):
            result.bearings[Bearing.UNREADABLE] += len(firing)
        to_store: list[_Choice] = []
        for action, alerts in _hits(view, found).items():
            for bearing, borne in _bearings(view, action, alerts).items():
                result.bearings[bearing] += len(borne)
                if bearing is Bearing.KNOWN:
                    result.known.add(view.key)
                if bearing in (Bearing.STALE, Bearing.IDLE):
                    result.passed_by.add(view.key)
                if bearing is Bearing.TO_STORE:
                    to_store.append(_Choice(view, action, borne))
        if to_store:
            first = max(to_store, key=lambda choice: severity(choice.action))
            others = [alert for choice in to_store for alert in choice.alerts if alert is not first.alert]
            result.notes[view.key] = (view, first.note(others))
    return result


_Matcher: TypeAlias = frozenset[tuple[str, str]]


def _wanted(view: RolloutView) -> Sequence[RollbackAlert]:
    return view.orders.rollback.alerts


def _found(views: Iterable[RolloutView], firing: Sequence[Alert]) -> Mapping[_Matcher, Sequence[Alert]]:
    """By what is matched, which many Rollouts may have in common, the alerts that match, the oldest first."""
    index: dict[tuple[str, str], set[_Matcher]] = {}
    for wanted in (wanted for view in views for wanted in _wanted(view)):
        # Fewer other alerts have this name than that severity.
        name = "alertname" if "alertname" in wanted.match else min(wanted.match)
        index.setdefault((name, wanted.match[name]), set()).add(frozenset(wanted.match.items()))
    found: dict[_Matcher, list[Alert]] = {}
    for alert in firing:
        for label in alert.labels.items():
            for matcher in index.get(label, ()):
                if matcher <= alert.labels.items():
                    found.setdefault(matcher, []).append(alert)
    return {matcher: sorted(alerts, key=_age) for matcher, alerts in found.items()}


def _hits(view: RolloutView, found: Mapping[_Matcher, Sequence[Alert]]) -> Mapping[AlertAction, Sequence[Alert]]:
    """The alerts that match a Rollout, each by the most that it does there; the oldest first."""
    wanted = sorted(_wanted(view), key=lambda each: -severity(each.action))
    matching = [(each.action, found[matcher]) for each in wanted if (matcher := frozenset(each.match.items())) in found]
    if len(matching) == 1:
        return dict(matching)
    hits: dict[AlertAction, list[Alert]] = {}
    counted: set[int] = set()
    for action, alerts in matching:
        hits.setdefault(action, []).extend(alert for alert in alerts if id(alert) not in counted)
        counted.update(map(id, alerts))
    return {action: sorted(alerts, key=_age) for action, alerts in hits.items() if alerts}


def _age(alert: Alert) -> tuple[datetime, str]:
    return alert.starts_at, alert.fingerprint


def _key(view: RolloutView, alert: Alert) -> str:
    return f"{view.uid}/{alert.fingerprint}/{rfc3339(alert.starts_at)}"


@dataclass(frozen=True, slots=True)
class _Choice:
    """Alerts that ask for the same of a Rollout, the oldest first."""

    view: RolloutView
    action: AlertAction
    alerts: Sequence[Alert]

    @property
    def alert(self) -> Alert:
        """The one that is stored."""
        return self.alerts[0]

    def note(self, others: Sequence[Alert]) -> AlertNote:
        """What is stored of it; ``others`` are more alerts of the same post that ask for something."""
        attempt = self.view.status.attempt
        return AlertNote(
            attempt=attempt.number if attempt is not None else 0,
            action=self.action,
            key=_key(self.view, self.alert),
            name=_one_line(self.alert.labels.get("alertname", "an alert"))[:_LONGEST_NAME],
            text=f"{_words(self.alert)}{f' (and {len(others)} more)' if others else ''}",
            others=joined(_key(self.view, alert) for alert in others),
        )


def _bearings(view: RolloutView, action: AlertAction, alerts: Sequence[Alert]) -> Mapping[Bearing, Sequence[Alert]]:
    """What those alerts, which ask for the same, mean for a Rollout; each of them one thing, the oldest first."""
    attempt = view.status.attempt
    if attempt is None or not _may_fly(view):
        return {Bearing.UNREADABLE if _may_fly(view) else Bearing.IDLE: alerts}
    begun = bisect_left(alerts, attempt.started_at, key=lambda alert: alert.starts_at)
    stale, fresh = alerts[:begun], alerts[begun:]
    stored = alert_note(view.annotations)
    beside = stored if stored is not None and stored.attempt == attempt.number else None
    if beside is not None and beside.action is AlertAction.ROLLBACK:
        borne = {Bearing.KNOWN: fresh}
    elif action is AlertAction.ROLLBACK or (beside is None and not attempt.alerts):
        borne = {Bearing.TO_STORE: fresh}
    else:
        borne = _one_by_one(view, action, fresh, marks(attempt.alerts), beside)
    return {bearing: alerts for bearing, alerts in {Bearing.STALE: stale, **borne}.items() if alerts}


def _may_fly(view: RolloutView) -> bool:
    """Whether an attempt is in flight, or the status says something of one that cannot be read."""
    attempt = view.status.attempt
    if view.deleting:
        return False
    return attempt.state in FLIGHT if attempt is not None else "attempt" in view.unread


def _one_by_one(
    view: RolloutView,
    action: AlertAction,
    alerts: Sequence[Alert],
    heard: Container[str],
    beside: AlertNote | None,
) -> dict[Bearing, Sequence[Alert]]:
    """What alerts mean for an attempt that has heard of some, or beside one that is stored and takes nothing back."""
    waits = beside if beside is not None and beside.key not in heard else None
    told = marks([waits.key, waits.others]) if waits is not None and severity(waits.action) >= severity(action) else ()
    borne: dict[Bearing, list[Alert]] = {}
    for alert in alerts:
        key = _key(view, alert)
        if any(name in known for name in (key, mark(key)) for known in (heard, told)):
            bearing = Bearing.KNOWN
        elif waits is None or waits.key == key:
            bearing = Bearing.TO_STORE
        else:
            # What is stored was answered 200 and is sent by nobody any more.
            bearing = Bearing.BUSY
        borne.setdefault(bearing, []).append(alert)
    return {**borne}


def _words(alert: Alert) -> str:
    name, severity = alert.labels.get("alertname", "an alert"), alert.labels.get("severity")
    told = alert.annotations
    summary = told.get("summary") or told.get("description") or told.get("message") or ""
    head = _one_line(name)[:_LONGEST_NAME] + (f" severity={_one_line(severity)[:_LONGEST_NAME]}" if severity else "")
    return f"{head}: {_one_line(summary)}"[:_LONGEST_TEXT] if summary else head


def _one_line(text: str) -> str:
    """Text of anybody's, fit for a log line and a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_TEXT])
