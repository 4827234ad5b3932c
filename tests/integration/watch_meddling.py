"""What can go wrong with the events of a watch, as functions that make a meddler for each watch. Knows no object."""

from collections import deque
from collections.abc import Callable, Sequence

from tests.integration.watch_streams import GONE, Meddle, WatchEvent


def lost() -> Meddle:
    """No news of any object comes."""
    return lambda event: () if event.tells else (event,)


def doubled() -> Meddle:
    """All news comes twice."""
    return lambda event: (event, event)


def replayed() -> Meddle:
    """After each event the one before it comes once more."""
    before: deque[WatchEvent] = deque(maxlen=1)

    def meddle(event: WatchEvent) -> Sequence[WatchEvent]:
        told = (event, *before)
        before.append(event)
        return told

    return meddle


def late() -> Meddle:
    """Each event comes when the next but one does."""
    waiting: deque[WatchEvent] = deque()

    def meddle(event: WatchEvent) -> Sequence[WatchEvent]:
        waiting.append(event)
        return (waiting.popleft(),) if len(waiting) > 2 else ()

    return meddle


def mixed_up() -> Meddle:
    """Of each three events the last comes first."""
    waiting: list[WatchEvent] = []

    def meddle(event: WatchEvent) -> Sequence[WatchEvent]:
        waiting.append(event)
        if len(waiting) < 3:
            return ()
        told = waiting[::-1]
        waiting.clear()
        return told

    return meddle


def expired() -> Meddle:
    """Instead of any news the watch says that it does not remember, and ends."""
    return lambda event: (GONE,) if event.tells else (event,)


def half_lost() -> Meddle:
    """Every second event is lost."""
    count = iter(range(10**9))
    return lambda event: (event,) if next(count) % 2 else ()


MEDDLERS: tuple[Callable[[], Meddle], ...] = (lost, half_lost, doubled, replayed, late, mixed_up, expired)
"""All of them."""
