"""What somebody who counts may want to know of the asking. Knows no metrics library."""

from typing import Protocol

from headgate.evidence.answers import Trouble


class Observer(Protocol):
    """Is told of every question and every request. Called on the event loop; must be quick and raise nothing."""

    def asked(self, source: str, queries: int) -> None:
        """So many queries were needed, before equal ones were merged."""

    def sent(self, source: str, queries: int, seconds: float, trouble: Trouble | None) -> None:
        """One HTTP request with so many different queries took so long, and how it failed, if it did."""


class SilentObserver:
    """Takes no notice."""

    def asked(self, source: str, queries: int) -> None:
        """Ignores it."""

    def sent(self, source: str, queries: int, seconds: float, trouble: Trouble | None) -> None:
        """Ignores it."""
