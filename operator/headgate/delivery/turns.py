"""Lets the writes of one object come one after the other, each on what the one before it has left. Knows no object."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from headgate.cluster.objects import Kind, Unavailable
from headgate.delivery.namespace_objects import NamespaceObjects

_Result = TypeVar("_Result")


class Turn:
    """One object as one writer writes it. Without turns each of n writes would make all others a conflict."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: Unavailable | None = None

    async def take(self, write: Callable[[], Awaitable[_Result]]) -> _Result:
        """Writes when it is its turn. Raises what the write raises.

        What waited while a write was not answered is not tried: n writes must not take n times as long to give up.
        """
        before = self._failures
        async with self._lock:
            if self._failure is not None and self._failures > before:
                raise self._failure
            try:
                return await write()
            except Unavailable as error:
                self._failures, self._failure = self._failures + 1, error
                raise


class Turns:
    """Hands out the one Turn of each object and writer, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[int, int, Kind, str, str], Turn] = WeakValueDictionary()

    def of(self, around: NamespaceObjects, kind: Kind, name: str) -> Turn:
        """The one that is shared by everybody who has the same ``documents`` and ``objects``, while they have them."""
        key = (id(around.documents), id(around.objects), kind, around.namespace, name)
        turn = self._known.get(key)
        if turn is None:
            turn = self._known[key] = Turn()
        return turn
