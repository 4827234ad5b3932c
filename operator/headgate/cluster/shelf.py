"""The newest known state of the objects of one kind, whatever order news arrives in. Knows no kind's content."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

from headgate.engine.observation import Key

Item = TypeVar("Item")
_TOMBSTONES = 10_000


class Shelf(Generic[Item]):
    """Objects by key, under their resourceVersions as numbers: older news never replaces newer, not even a deletion."""

    def __init__(self) -> None:
        self._items: dict[Key, tuple[int, Item]] = {}
        self._gone: OrderedDict[Key, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[tuple[Key, Item]]:
        return iter([(key, item) for key, (_, item) in self._items.items()])

    def keys(self) -> list[Key]:
        """The objects that are there."""
        return list(self._items)

    def get(self, key: Key) -> Item | None:
        """What is known of that object; None when it is not there."""
        known = self._items.get(key)
        return known[1] if known is not None else None

    def is_news(self, key: Key, version: int) -> bool:
        """Whether a state of that version would be put."""
        known = self._items.get(key)
        if known is not None:
            return version > known[0]
        # Equal: an object that only lost the label that it is watched by is still there at that very version.
        return version >= self._gone.get(key, 0)

    def put(self, key: Key, version: int, item: Item) -> bool:
        """Keeps this state unless a newer one, or a newer deletion, is known. Whether it was news."""
        if not self.is_news(key, version):
            return False
        self._items[key] = (version, item)
        self._gone.pop(key, None)
        return True

    def replace(self, key: Key, item: Item) -> None:
        """Another reading of the very state that is known."""
        known = self._items.get(key)
        if known is not None:
            self._items[key] = (known[0], item)

    def remove(self, key: Key, version: int) -> Item | None:
        """Forgets an object that was gone at this version; returns what was known of it, unless that was newer."""
        known = self._items.get(key)
        if known is not None and known[0] > version:
            return None
        self._gone[key] = max(version, self._gone.pop(key, 0))
        if len(self._gone) > _TOMBSTONES:
            self._gone.popitem(last=False)
        return self._items.pop(key)[1] if known is not None else None

    def unlisted(self, listed: set[Key], version: int) -> list[Key]:
        """Objects that a complete list of that version should have held and did not: they are gone."""
        return [key for key, (known, _) in self._items.items() if known <= version and key not in listed]
