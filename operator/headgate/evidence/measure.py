"""Answers the engine's questions: from a look's questions to its evidence, through the configured sources."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headgate.api.configuration import Configuration, Source
from headgate.api.quality_gate import QualityGateSpec
from headgate.api.quantities import seconds
from headgate.engine.evidence import Look, MeasureKey, Question, Reading
from headgate.evidence.asking import Asker
from headgate.evidence.coalescing import Ask
from headgate.evidence.observer import Observer, SilentObserver
from headgate.evidence.prometheus import Prometheus
from headgate.evidence.queries import Role, enforcement_problem, queries_of, values_for
from headgate.evidence.readings import error_reading, reading
from headgate.evidence.template import QueryError, read_template


@dataclass(frozen=True, slots=True)
class _Prepared:
    question: Question
    asks: Mapping[Role, Ask]


class Measurer:
    """Measures for all rollouts, on one event loop, so that what they ask at the same moment goes out together."""

    def __init__(self, configuration: Configuration, observer: Observer | None = None) -> None:
        self._configuration = configuration
        watcher = observer or SilentObserver()
        self._askers = {
            source.name: Asker(source.name, seconds(source.timeout), Prometheus(source).ask, watcher)
            for source in configuration.sources
        }

    async def measure(self, questions: Sequence[Question], now: datetime) -> Look:
        """The look at ``now`` with a reading for each question. Raises nothing for what a source answers or does not.

        A source that is away costs up to about twice its timeout; cancelling this takes nothing from other looks.
        """
        readings: dict[MeasureKey, Reading] = {}
        prepared: dict[str, list[_Prepared]] = {}
        for question in questions:
            asks = self._asks(question)
            if isinstance(asks, str):
                readings[question.key] = error_reading(asks)
            else:
                prepared.setdefault(question.source, []).append(_Prepared(question, asks))
        for found in await asyncio.gather(*(self._ask(name, waiting) for name, waiting in prepared.items())):
            readings.update(found)
        return Look(now, readings)

    async def close(self) -> None:
        """Ends all asking."""
        for asker in self._askers.values():
            await asker.close()

    async def _ask(self, source: str, prepared: Sequence[_Prepared]) -> dict[MeasureKey, Reading]:
        asks = [ask for one in prepared for ask in one.asks.values()]
        answers = iter(await self._askers[source].ask(asks))
        return {
            one.question.key: reading(one.question.check, source, {role: next(answers) for role in one.asks})
            for one in prepared
        }

    def _asks(self, question: Question) -> Mapping[Role, Ask] | str:
        """The queries of a question, or why it cannot be asked."""
        namespace = question.subject.namespace
        source = _allowed(self._configuration, question.source, namespace)
        if isinstance(source, str):
            return source
        matcher = (source.enforce_label, namespace) if source.enforce_label is not None else None
        values = values_for(dict(question.args), question.subject)
        asks: dict[Role, Ask] = {}
        for role, query in queries_of(question.check).items():
            template = read_template(query)
            try:
                asks[role] = Ask(template.render(values, matcher), namespace, query, template.shape)
            except QueryError as error:
                return f"{role.value}: {error}"
        return asks


def source_problem(configuration: Configuration, spec: QualityGateSpec, namespace: str) -> str | None:
    """Why a gate of this namespace cannot use the source it names, in one line; None when it can."""
    source = _allowed(configuration, spec.source, namespace)
    if isinstance(source, str):
        return source
    return None if source.enforce_label is None else enforcement_problem(spec, source.enforce_label, namespace)


def _allowed(configuration: Configuration, name: str, namespace: str) -> Source | str:
    source = configuration.source(name)
    if source is None:
        return f"source {name!r} is not in the operator's configuration: add it there, or name another"
    # A tenant need not learn who else uses it.
    if source.namespaces and namespace not in source.namespaces:
        return f"source {name!r} is not for namespace {namespace!r}: add it to the source's namespaces, or name another"
    return source
