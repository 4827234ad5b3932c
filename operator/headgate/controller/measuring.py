"""Measures beside the looks, so that the way back of one Rollout never waits for the source of another."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from headgate.controller.case import Case
from headgate.controller.metrics import Metrics
from headgate.engine.evidence import Look, Question, Reading, ReadingKind
from headgate.engine.observation import Key

_LONGEST_SECONDS = 150.0
_log = logging.getLogger(__name__)


class Measures(Protocol):
    """Answers questions."""

    async def measure(self, questions: Sequence[Question], now: datetime) -> Look:
        """The evidence, a reading for each question; what goes wrong is a reading too."""
        ...


class Measuring:
    """One measurement at a time per Rollout; its end is a poke."""

    def __init__(
        self, measurer: Measures, metrics: Metrics, now: Callable[[], datetime], done: Callable[[Key], None]
    ) -> None:
        self._measurer = measurer
        self._metrics = metrics
        self._now = now
        self._done = done

    def begin(self, key: Key, case: Case, questions: Sequence[Question]) -> None:
        """Measures, unless a measurement goes on already."""
        if case.measuring is None:
            case.measuring = asyncio.create_task(self._measure(key, case, questions), name=f"measure {key}")

    async def _measure(self, key: Key, case: Case, questions: Sequence[Question]) -> None:
        at = self._now()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                look = await self._measurer.measure(questions, at)
        except TimeoutError:
            look = _failed(questions, at, f"no answer within {_LONGEST_SECONDS:.0f} s")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in measuring is an Error reading, never a crash
            _log.exception("the measurement for %s failed", key)
            look = _failed(questions, at, f"{type(error).__name__}: {error}")
        self._metrics.measured(key, look.readings)
        case.measuring = None
        case.look = look
        self._done(key)


def _failed(questions: Sequence[Question], at: datetime, message: str) -> Look:
    reading = Reading(ReadingKind.ERROR, message=" ".join(message.split())[:300])
    return Look(at, {question.key: reading for question in questions})
