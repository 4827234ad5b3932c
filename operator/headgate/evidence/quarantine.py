"""Remembers for some minutes whose queries broke a coalesced one, so that they do not break the next."""

from dataclasses import dataclass, field

REMEMBERED_SECONDS = 600.0
MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Quarantine:
    """Namespaces that are asked by themselves, and templates that are asked alone. Time is an argument, in seconds."""

    _until: dict[tuple[str, str], float] = field(default_factory=dict)

    def put(self, namespace: str, template: str, now: float) -> None:
        """This template of this namespace broke a coalesced query, or would have."""
        self._remember((namespace, ""), now)
        self._remember((namespace, template), now)

    def put_namespace(self, namespace: str, now: float) -> None:
        """Some query of this namespace broke a coalesced one; which is not known yet."""
        self._remember((namespace, ""), now)

    def holds_namespace(self, namespace: str, now: float) -> bool:
        """Whether the namespace's queries are kept from others'."""
        return self._holds((namespace, ""), now)

    def holds(self, namespace: str, template: str, now: float) -> bool:
        """Whether this query is asked alone."""
        return self._holds((namespace, template), now)

    def _remember(self, key: tuple[str, str], now: float) -> None:
        self._until.pop(key, None)
        self._until[key] = now + REMEMBERED_SECONDS
        if len(self._until) > MOST_REMEMBERED:
            # The oldest entry stands first, since every renewal moves to the end.
            del self._until[next(iter(self._until))]

    def _holds(self, key: tuple[str, str], now: float) -> bool:
        until = self._until.get(key)
        if until is None:
            return False
        if until <= now:
            del self._until[key]
            return False
        return True
