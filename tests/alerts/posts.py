"""Posts as Alertmanager 0.31 makes them, and whoever sends them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests

BURNING = {"alertname": "RankerBurningBudget", "severity": "critical"}
ALERTS = [{"match": BURNING}]


def alert(
    labels: Mapping[str, str] | None = None,
    *,
    status: str = "firing",
    at: datetime | None = None,
    fingerprint: str = "1a2b3c4d5e6f7788",
    summary: str = "the budget burns 14 times too fast",
) -> dict[str, Any]:
    """One alert, which began to fire just now unless told otherwise."""
    return {
        "status": status,
        "labels": dict(BURNING if labels is None else labels),
        "annotations": {"summary": summary},
        "startsAt": (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": fingerprint,
    }


def post(*alerts: dict[str, Any], truncated: int = 0) -> dict[str, Any]:
    """One notification."""
    return {
        "receiver": "headgate",
        "status": "firing" if any(each["status"] == "firing" for each in alerts) else "resolved",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "RankerBurningBudget"},
        "commonLabels": BURNING,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "version": "4",
        "groupKey": '{}:{alertname="RankerBurningBudget"}',
        "truncatedAlerts": truncated,
        "aFieldOfALaterRelease": {"x": [1]},
    }


class Sender:
    """Posts to one operator with one token."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, body: object, *, method: str = "POST", path: str = "", **headers: str) -> requests.Response:
        """The answer to a body, which is sent as it is when it is text or bytes."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return self._session.request(method, f"{self._url}{path}", data=data, headers=headers, timeout=15)

    def fire(self, *alerts: dict[str, Any], truncated: int = 0) -> int:
        """The status of the answer to those alerts, or to one that just began to fire."""
        return self.send(post(*(alerts or (alert(),)), truncated=truncated)).status_code
