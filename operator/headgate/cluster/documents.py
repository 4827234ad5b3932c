"""The objects that routers live in, as they were last seen. Knows no router."""

from collections.abc import Callable

from headgate.cluster.metadata import identity
from headgate.cluster.objects import Json, Kind
from headgate.cluster.shelf import Shelf
from headgate.engine.observation import Key


class SeenDocuments:
    """Documents, fed by watches and by the answers to own reads and writes."""

    def __init__(
        self,
        changed: Callable[[Kind, Key], None] = lambda _kind, _key: None,
        keep: Callable[[Kind, Json], Json] = lambda _kind, obj: obj,
    ) -> None:
        """``changed`` is told of each document whose state is news from a watch; ``keep`` says what is kept of one."""
        self._shelves: dict[Kind, Shelf[Json]] = {}
        self._changed = changed
        self._keep = keep

    def seen(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The object as it was last seen by a watch or returned by a write; None when it was never seen or is gone."""
        return self.shelf(kind).get(Key(namespace, name))

    def saw(self, kind: Kind, obj: Json) -> None:
        """Remembers an object that a read or write returned, unless something newer is known."""
        who = identity(obj)
        if who is not None:
            self.shelf(kind).put(who.key, who.version, self._keep(kind, obj))

    def gone(self, kind: Kind, namespace: str, name: str) -> None:
        """Forgets an object that is known not to exist."""
        key = Key(namespace, name)
        known = self.shelf(kind).get(key)
        who = identity(known) if known is not None else None
        if who is not None:
            self.shelf(kind).remove(key, who.version)

    def watched(self, kind: Kind, obj: Json, *, deleted: bool) -> None:
        """Takes a watch's or a list's news of one object."""
        who = identity(obj)
        if who is None:
            return
        shelf, kept = self.shelf(kind), self._keep(kind, obj)
        news = shelf.remove(who.key, who.version) is not None if deleted else shelf.put(who.key, who.version, kept)
        if news:
            self._changed(kind, who.key)

    def missing(self, kind: Kind, key: Key, version: int) -> None:
        """A document was gone at that resourceVersion."""
        if self.shelf(kind).remove(key, version) is not None:
            self._changed(kind, key)

    def shelf(self, kind: Kind) -> Shelf[Json]:
        """All documents of one kind."""
        return self._shelves.setdefault(kind, Shelf())
