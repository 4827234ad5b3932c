"""Posts alerts to the operator as Alertmanager's webhook does, with a token of its own. Measures nothing."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from bench.cluster import RefusedError
from bench.documents import alert_labels
from headgate.local import processes


class Pager:
    """One Alertmanager; an async context manager."""

    def __init__(self, directory: Path, namespaces: Collection[str]) -> None:
        token, file = secrets.token_urlsafe(32), directory / "alert-token"
        file.write_text(token)
        listen = f"127.0.0.1:{processes.free_port()}"
        self.configuration = {"listen": listen, "tokens": [{"file": str(file), "namespaces": sorted(namespaces)}]}
        """The key `alerts` of the operator's configuration."""
        self._url = f"http://{listen}/alerts"
        self._token = token

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fire(self, app: str) -> None:
        """The alert about that app begins to fire. Raises RefusedError when it is not received."""
        async with self._session.post(self._url, json=_post(app)) as answer:
            if not answer.ok:
                raise RefusedError(f"POST /alerts: HTTP {answer.status}: {await answer.text()}")


def _post(app: str) -> dict[str, Any]:
    labels = {**alert_labels(app), "severity": "critical"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "the error budget burns 14 times too fast"},
        "startsAt": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": secrets.token_hex(8),
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{app="{app}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "headgate",
        "groupLabels": {"app": app},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": [alert],
    }
