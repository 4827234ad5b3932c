"""Brings news of the cluster into the store and to whom it concerns: from watches, lists and own reads alike."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headgate.cluster.metadata import Identity, identity
from headgate.cluster.objects import PROMPT_VERSION, QUALITY_GATE, ROLLOUT, Json, Kind
from headgate.cluster.store import Store
from headgate.cluster.targets import Targets
from headgate.engine.observation import Key, RolloutView

_log = logging.getLogger(__name__)


@contextmanager
def _alone(kind: Kind) -> Iterator[None]:
    """What anybody wrote into one object must not end a watch or a list of all."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, it is of that object alone
        _log.exception("news of a %s was not understood; the resync brings it again", kind.kind)


class News:
    """The one entrance to the store."""

    def __init__(self, store: Store, lost: Callable[[RolloutView], None]) -> None:
        """``lost`` is told of each Rollout that is gone, with what was known of it last."""
        self._store = store
        self._lost = lost

    @property
    def targets(self) -> Targets:
        """The kinds that Rollouts may release."""
        return self._store.targets

    def knows_some(self, kind: Kind) -> bool:
        """Whether any object of a kind of targets is known."""
        return len(self._store.documents.shelf(kind)) > 0

    def seen(self, kind: Kind, raw: Json) -> None:
        """An object was there in this state."""
        with _alone(kind):
            self._saw(kind, raw)

    def _saw(self, kind: Kind, raw: Json) -> None:
        if kind == ROLLOUT:
            self._store.saw_rollout(raw)
        elif kind == PROMPT_VERSION:
            self._store.saw_version(raw)
        elif kind == QUALITY_GATE:
            self._store.saw_gate(raw)
        else:
            self._store.documents.watched(kind, raw, deleted=False)

    def deleted(self, kind: Kind, raw: Json) -> None:
        """An object is gone; ``raw`` is its last state under the resourceVersion of the deletion."""
        with _alone(kind):
            who = identity(raw)
            if who is None:
                return
            if kind == ROLLOUT:
                self._saw_last(who, raw)
            if kind in (ROLLOUT, PROMPT_VERSION, QUALITY_GATE):
                self.missing(kind, who.key, who.version)
            else:
                self._store.documents.watched(kind, raw, deleted=True)

    def _saw_last(self, who: Identity, raw: Json) -> None:
        """How a Rollout ended: what is known of it may be older, and a rejection that came since would be lost."""
        known = self._store.rollouts.get(who.key)
        if known is not None and known.uid == who.uid:
            self._store.saw_rollout(raw, poke=False)

    def missing(self, kind: Kind, key: Key, version: int) -> None:
        """An object was gone at that resourceVersion; nothing but its name is known."""
        if kind == ROLLOUT:
            view = self._store.lost_rollout(key, version)
            if view is not None:
                self._lost(view)
        elif kind == PROMPT_VERSION:
            self._store.lost_version(key, version)
        elif kind == QUALITY_GATE:
            self._store.lost_gate(key, version)
        else:
            self._store.documents.missing(kind, key, version)

    def unlisted(self, kind: Kind, listed: set[Key], version: int) -> list[Key]:
        """What is known, and was missing from a complete list of that version."""
        if kind == ROLLOUT:
            return self._store.rollouts.unlisted(listed, version)
        if kind == PROMPT_VERSION:
            return self._store.versions.unlisted(listed, version)
        if kind == QUALITY_GATE:
            return self._store.gates.unlisted(listed, version)
        return self._store.documents.shelf(kind).unlisted(listed, version)
