"""Asking for everybody at once: equal queries once, different ones together, and nobody at a neighbour's expense."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from headgate.evidence.answers import Answer, Failure, Nothing, Sample, Table, Trouble, Value
from headgate.evidence.asking import FAILURES_UNTIL_AWAY, Asker
from headgate.evidence.coalescing import Ask
from headgate.evidence.grammar import Shape
from headgate.evidence.observer import SilentObserver
from headgate.evidence.prometheus import Prometheus
from tests.evidence.test_answers import source

Source = Callable[[str], Table | Failure]
MEMBER = re.compile(r'label_replace\((?:vector)?\((.*?)\), "headgate_id", "(k\d+)", "", ""\)')
DOWN = Failure(Trouble.UNREACHABLE, "cannot be reached: connection refused")


def ask_for(text: str, namespace: str = "ai", shape: Shape | None = Shape.VECTOR) -> Ask:
    return Ask(text, namespace, text, shape)


def members_of(query: str) -> list[str]:
    return [text for text, _ in MEMBER.findall(query)] or [query]


def seven(query: str) -> Table:
    """A source for which everything is 7."""
    ids = [{"headgate_id": one} for _, one in MEMBER.findall(query)] or [{}]
    return Table(tuple(Sample(labels, time.time(), 7.0) for labels in ids))


class Asked:
    """Makes askers whose source is a function, and remembers what the source was asked."""

    def __init__(self) -> None:
        self.queries: list[list[str]] = []
        self.askers: list[Asker] = []

    def asker(self, answer: Source = seven, timeout: float = 5.0) -> Asker:
        def listen(query: str) -> Table | Failure:
            self.queries.append(members_of(query))
            return answer(query)

        asker = Asker("s", timeout, listen, SilentObserver())
        self.askers.append(asker)
        return asker

    def times(self, text: str) -> int:
        return sum(text in members for members in self.queries)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    made = Asked()
    yield made
    for asker in made.askers:
        await asker.close()


async def test_equal_queries_of_different_looks_are_asked_once(asked: Asked) -> None:
    asker = asked.asker()
    answers = await asyncio.gather(*(asker.ask([ask_for("a"), ask_for("b")]) for _ in range(20)))
    assert answers == [[Value(7.0), Value(7.0)]] * 20
    assert asked.queries == [["a", "b"]]


async def test_different_queries_go_out_together_in_bounded_batches(asked: Asked) -> None:
    asker = asked.asker()
    answers = await asker.ask([ask_for(f"m{n}") for n in range(120)])
    assert answers == [Value(7.0)] * 120
    assert [len(members) for members in asked.queries] == [50, 50, 20]


async def test_what_is_not_understood_is_asked_alone(asked: Asked) -> None:
    asker = asked.asker()
    await asker.ask([ask_for("a"), ask_for("b"), ask_for("strange", shape=None)])
    assert sorted(asked.queries) == [["a", "b"], ["strange"]]


async def test_cancelling_a_look_leaves_the_others_their_answers(asked: Asked) -> None:
    reached, released = threading.Event(), threading.Event()

    def slow(query: str) -> Table:
        reached.set()
        released.wait(10)
        return seven(query)

    asker = asked.asker(slow)
    cancelled = asyncio.create_task(asker.ask([ask_for("a")]))
    other = asyncio.create_task(asker.ask([ask_for("a")]))
    await asyncio.to_thread(reached.wait, 10)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    released.set()
    assert await other == [Value(7.0)]
    assert asked.times("a") == 1


async def test_a_query_that_nobody_waits_for_any_more_is_not_sent_and_can_be_asked_again(asked: Asked) -> None:
    asker = asked.asker()
    gone = asyncio.create_task(asker.ask([ask_for("a")]))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await asker.ask([ask_for("b")]) == [Value(7.0)]
    assert asked.queries == [["b"]]
    assert await asker.ask([ask_for("a")]) == [Value(7.0)]
    assert asked.times("a") == 1


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Trouble.FAILED_QUERY, "many-to-many"),
        Failure(Trouble.BAD_QUERY, "parse error"),
        Failure(Trouble.UNAVAILABLE, "answered HTTP 500"),
        Failure(Trouble.TOO_LARGE, "too long"),
    ],
)
async def test_one_that_breaks_a_batch_breaks_it_for_itself_alone(asked: Asked, failure: Failure) -> None:
    asker = asked.asker(lambda query: failure if "poison" in query else seven(query))
    asks = [*(ask_for(f"m{n}", "good") for n in range(5)), ask_for("poison", "bad"), ask_for("fine", "bad")]
    assert await asker.ask(asks) == [*[Value(7.0)] * 5, failure, Value(7.0)]
    # The next look is spared: the neighbours are no longer asked together with it.
    asked.queries.clear()
    assert await asker.ask(asks) == [*[Value(7.0)] * 5, failure, Value(7.0)]
    assert [f"m{n}" for n in range(5)] in asked.queries
    assert asked.times("m0") == 1
    assert all(
        "poison" not in members or not set(members) & {"m0", "m1", "m2", "m3", "m4"} for members in asked.queries
    )


async def test_warnings_hold_only_whom_they_concern(asked: Asked) -> None:
    def warning(query: str) -> Table:
        table = seven(query)
        return Table(table.samples, ("incomplete",)) if "poison" in query else table

    asker = asked.asker(warning)
    first, second = await asker.ask([ask_for("a"), ask_for("poison")])
    assert first == Value(7.0)
    assert isinstance(second, Failure)
    assert second.trouble is Trouble.PARTIAL


async def test_a_namespace_with_endless_slow_queries_does_not_hold_up_another(asked: Asked) -> None:
    released = threading.Event()
    slow_reached = threading.Event()

    def answer(query: str) -> Table | Failure:
        if query.startswith("slow"):
            slow_reached.set()
            released.wait(20)
        return seven(query)

    asker = asked.asker(answer)
    # Not understood, so each is asked alone; more of them than there are threads.
    hostile = asyncio.create_task(asker.ask([ask_for(f"slow{n}", "bad", None) for n in range(30)]))
    await asyncio.to_thread(slow_reached.wait, 10)
    async with asyncio.timeout(3):
        assert await asker.ask([ask_for("a", "good")]) == [Value(7.0)]
    hostile.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await hostile


async def test_a_source_that_is_away_is_not_asked_by_everybody(asked: Asked) -> None:
    asker = asked.asker(lambda _: DOWN)
    for n in range(FAILURES_UNTIL_AWAY):
        assert await asker.ask([ask_for(f"a{n}"), ask_for(f"b{n}")]) == [DOWN, DOWN]
    before = len(asked.queries)
    assert await asker.ask([ask_for(f"m{n}") for n in range(500)]) == [DOWN] * 500
    assert len(asked.queries) == before == FAILURES_UNTIL_AWAY


async def test_a_source_that_hangs_holds_nobody_for_long(asked: Asked) -> None:
    released = threading.Event()

    def hang(_: str) -> Failure:
        released.wait(20)
        return Failure(Trouble.TIMEOUT, "gave no answer")

    asker = asked.asker(hang, timeout=0.1)
    started = time.monotonic()
    answers = await asyncio.gather(*(asker.ask([ask_for(f"m{n}")]) for n in range(1000)))
    took = time.monotonic() - started
    released.set()
    assert took < 10
    assert all(isinstance(answer, Failure) and answer.trouble is Trouble.TIMEOUT for [answer] in answers)
    assert len(asked.queries) <= 4


async def test_it_is_asked_again_once_it_is_back(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headgate.evidence.asking.AWAY_SECONDS", 0.0)
    down = True
    asker = asked.asker(lambda query: DOWN if down else seven(query))
    for _ in range(FAILURES_UNTIL_AWAY):
        await asker.ask([ask_for("a")])
    down = False
    assert await asker.ask([ask_for("a")]) == [Value(7.0)]


REAL: list[tuple[str, Shape, Answer]] = [
    ("42", Shape.SCALAR, Value(42.0)),
    ("time() * 0 + 5", Shape.SCALAR, Value(5.0)),
    ('sum(llm_requests{app="chat"})', Shape.VECTOR, Value(300.0)),
    ("llm_requests{version='v7'}", Shape.VECTOR, Value(100.0)),
    ("nothing_of_that_name", Shape.VECTOR, Nothing("no series", empty=True)),
    ('odd{case="nan"}', Shape.VECTOR, Nothing("the value is nan", empty=False)),
    (
        'odd{case="two"}',
        Shape.VECTOR,
        Failure(Trouble.SEVERAL_SERIES, "2 series that differ in part where one is needed: aggregate with sum or max"),
    ),
    ("vector(1) == 2 or vector(3)", Shape.VECTOR, Value(3.0)),
    ('label_replace(vector(9), "other", "k0", "", "")', Shape.VECTOR, Value(9.0)),
]


async def test_a_real_prometheus_answers_each_member_of_a_batch_as_it_would_alone(prometheus_url: str) -> None:
    requests: list[str] = []

    def listen(query: str) -> Table | Failure:
        requests.append(query)
        return Prometheus(source(prometheus_url)).ask(query)

    asker = Asker("s", 5.0, listen, SilentObserver())
    together = await asker.ask([ask_for(text, shape=shape) for text, shape, _ in REAL])
    assert len(requests) == 1
    for (text, shape, expected), answer in zip(REAL, together, strict=True):
        assert answer == expected, text
        assert await asker.ask([ask_for(text, shape=shape)]) == [expected]
    await asker.close()
