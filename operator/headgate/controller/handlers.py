"""kopf's part: log in, watch, and hand each event on. Handlers do nothing else, so they cost no write and no retry."""

from collections.abc import Callable, Sequence
from typing import Any

import kopf
from kubernetes.aio.client.configuration import Configuration

from headgate.api.target_kind import TargetKind
from headgate.cluster.credentials import connection
from headgate.cluster.objects import Json, Kind
from headgate.cluster.watch_connection import watch_connection
from headgate.controller.news import News
from headgate.controller.resync import LABELS

_BACKOFFS = (0.5, 1, 2, 3, *[5] * 30)
"""Seconds between tries: soon after an outage is over people are heard again; one of minutes ends the process."""


class _NoEssence(kopf.DiffBaseStorage):
    """Spares the deep copy that kopf makes of each object for handlers of changes; there are none."""

    def build(self, **_: object) -> kopf.BodyEssence:
        """Nothing."""
        return kopf.BodyEssence()

    def fetch(self, **_: object) -> kopf.BodyEssence | None:
        """Nothing was kept."""
        return None

    def store(self, **_: object) -> None:
        """Keeps nothing: no annotation, no write."""


def settings(*, clusterwide: bool, silence: float) -> kopf.OperatorSettings:
    """Kopf as headgate uses it: watches and nothing else. ``silence``: seconds after which one is begun anew."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.process.ultimate_exiting_timeout = None
    chosen.watching.chunk_size = 100
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 310
    chosen.watching.inactivity_timeout = silence
    chosen.networking.error_backoffs = _BACKOFFS
    chosen.persistence.diffbase_storage = _NoEssence()
    chosen.queueing.idle_timeout = 0.1
    chosen.queueing.exit_timeout = 0.5
    # One namespace needs no rights on the cluster: neither namespaces nor CRDs are watched then.
    chosen.scanning.disabled = not clusterwide
    for kind, selector in LABELS.items():
        chosen.watching.label_selectors[kind.group, kind.version, kind.plural] = selector
    return chosen


def registry(
    kinds: Sequence[Kind], news: News, credentials: Configuration, listed: Callable[[str], None]
) -> kopf.OperatorRegistry:
    """The handlers: one for each kind that may be watched, and the login. ``listed``: see ``watch_connection``."""
    chosen = kopf.OperatorRegistry()

    @kopf.on.login(registry=chosen)
    async def login(**_: object) -> kopf.AiohttpSession:
        return watch_connection(await connection(credentials), listed)

    for kind in kinds:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=chosen, id=f"news/{kind.plural}")(
            _handler(kind, news)
        )
    for allowed in news.targets.allowed.values():
        group, version = allowed.api_version.split("/", 1)
        # By its kind: a CRD that comes later brings the plural with it.
        kopf.on.event(group=group, version=version, kind=allowed.kind, registry=chosen, id=f"news/{allowed.kind}")(
            _target_handler(allowed, news)
        )
    return chosen


def _target_handler(allowed: TargetKind, news: News) -> Callable[..., Any]:
    async def handle(event: kopf.RawEvent, resource: kopf.Resource, **_: object) -> None:
        kind = news.targets.serves(allowed, resource.plural)
        # Objects of a kind that came after the first lists have no history here: what is not known is not there.
        news.targets.listed(kind)
        await _handler(kind, news)(event=event)

    return handle


def _handler(kind: Kind, news: News) -> Callable[..., Any]:
    async def handle(event: kopf.RawEvent, **_: object) -> None:
        raw: Json = event["object"]  # type: ignore[assignment]  # kopf types it as its own TypedDict
        if event["type"] == "DELETED":
            news.deleted(kind, raw)
        else:
            news.seen(kind, raw)

    return handle
