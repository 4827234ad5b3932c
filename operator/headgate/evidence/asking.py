"""Asks one source on behalf of everybody: collects for a moment, asks equal queries once and different ones together.

A coalesced query that fails is asked again by namespace, then singly, so that each gets its own answer; whoever broke
it is kept apart for some minutes (lanes.py). A source that is away is asked by one at a time, and nobody waits for it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from headgate.evidence.answers import BREAKS_BATCHES, OF_THE_SOURCE, Answer, Failure, Table, Trouble, judged
from headgate.evidence.coalescing import Ask, coalesced, taken_apart
from headgate.evidence.lanes import FOR_ALL, Batch, Lanes, Member
from headgate.evidence.observer import Observer
from headgate.evidence.quarantine import Quarantine

THREADS: Final = 4
COLLECT_SECONDS: Final = 0.02
"""How long the first of several questions waits for the others."""
APART_SECONDS: Final = 0.15
"""How far apart such waits end at least: requests are what asking costs, so under load more go into each."""
MOST_MEMBERS: Final = 50
MOST_WAITING: Final = 20_000
FAILURES_UNTIL_AWAY: Final = 3
AWAY_SECONDS: Final = 5.0
# Prometheus works through a coalesced query's members one by one: slow ones go in smaller batches.
_SLOW_SECONDS: Final = 1.0
_QUICK_SECONDS: Final = 0.25


class Asker:
    """All the asking of one source. Belongs to one event loop."""

    def __init__(self, name: str, timeout: float, ask: Callable[[str], Table | Failure], observer: Observer) -> None:
        self._name = name
        self._blocking_ask = ask
        self._observer = observer
        self._patience = 2 * timeout + 1.0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"evidence-{name}")
        self._lanes = Lanes(most_apart=THREADS - 1)
        self._quarantine = Quarantine()
        self._unsent: dict[tuple[str, str], Member] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._collecting: asyncio.TimerHandle | None = None
        self._last_collected = 0.0
        self._most_members = MOST_MEMBERS
        self._failures = 0
        self._away_until = 0.0
        self._last_failure: Failure | None = None

    async def ask(self, asks: Sequence[Ask]) -> list[Answer]:
        """The answers, in order. Every wait ends: a query that is not answered in time has a Failure for an answer.

        Cancelling this leaves the queries of others alone, equal ones too.
        """
        self._observer.asked(self._name, len(asks))
        members = [self._enlist(ask) for ask in asks]
        try:
            # Unlike gather(), wait() leaves the futures alone when this look is cancelled: others wait for them too.
            if waiting := {member.future for member in members if not member.future.done()}:
                await asyncio.wait(waiting, timeout=self._patience)
        finally:
            for member in members:
                self._leave(member)
        late = Failure(Trouble.TIMEOUT, f"gave no answer within {self._patience:.0f} s, waiting for a turn included")
        return [member.future.result() if member.future.done() else late for member in members]

    async def close(self) -> None:
        """Drops what waits and lets the threads go; a request under way ends by its own timeout."""
        if self._collecting is not None:
            self._collecting.cancel()
        for task in self._under_way:
            task.cancel()
        self._fail(self._lanes.clear(), Failure(Trouble.OVERLOADED, "is not asked any more: headgate is shutting down"))
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _enlist(self, ask: Ask) -> Member:
        key = (ask.namespace, ask.text)
        member = self._unsent.get(key)
        if member is None:
            now = time.monotonic()
            alone = not ask.can_be_member or self._quarantine.holds(ask.namespace, ask.template, now)
            member = Member(ask, asyncio.get_running_loop().create_future(), alone)
            if (refusal := self._refusal(now)) is not None:
                member.future.set_result(refusal)
            else:
                apart = alone or self._quarantine.holds_namespace(ask.namespace, now)
                self._unsent[key] = member
                self._lanes.add(ask.namespace if apart else FOR_ALL, member)
                self._collect()
        member.waiters += 1
        return member

    def _leave(self, member: Member) -> None:
        member.waiters -= 1
        key = (member.ask.namespace, member.ask.text)
        if member.waiters == 0 and self._unsent.get(key) is member:
            # Nobody will send it: the next who asks the same must not wait for it.
            del self._unsent[key]

    def _refusal(self, now: float) -> Failure | None:
        if self._last_failure is not None and now < self._away_until:
            return self._last_failure
        if len(self._lanes) >= MOST_WAITING:
            return Failure(
                Trouble.OVERLOADED, f"has {MOST_WAITING} queries waiting already: lengthen the gates' period"
            )
        return None

    def _collect(self) -> None:
        if self._collecting is None:
            loop = asyncio.get_running_loop()
            self._collecting = loop.call_at(
                max(loop.time() + COLLECT_SECONDS, self._last_collected + APART_SECONDS), self._collected
            )

    def _collected(self) -> None:
        self._collecting = None
        self._last_collected = asyncio.get_running_loop().time()
        self._dispatch()

    def _dispatch(self) -> None:
        # After an outage one request goes ahead and finds out.
        most = 1 if self._failures >= FAILURES_UNTIL_AWAY else THREADS
        while len(self._under_way) < most and (batch := self._lanes.take(self._most_members)) is not None:
            for member in batch.members:
                self._unsent.pop((member.ask.namespace, member.ask.text), None)
            task = asyncio.get_running_loop().create_task(self._carry_out(batch))
            self._under_way.add(task)
            task.add_done_callback(self._carried_out)

    def _carried_out(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and self._collecting is None:
            self._dispatch()

    async def _carry_out(self, batch: Batch) -> None:
        asks = [member.ask for member in batch.members]
        started = time.monotonic()
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._blocking_ask, coalesced(asks))
        except asyncio.CancelledError:
            self._fail(batch.members, Failure(Trouble.OVERLOADED, "is not asked any more: headgate is shutting down"))
            raise
        finally:
            self._lanes.done(batch)
        took = time.monotonic() - started
        self._observer.sent(self._name, len(asks), took, found.trouble if isinstance(found, Failure) else None)
        self._watch_source(found)
        if len(asks) == 1:
            self._settle_one(batch.members[0], found)
        else:
            self._settle_many(batch, found, took)

    def _settle_one(self, member: Member, found: Table | Failure) -> None:
        answer = found if isinstance(found, Failure) else judged(found)
        if isinstance(answer, Failure) and answer.trouble in BREAKS_BATCHES:
            self._quarantine.put(member.ask.namespace, member.ask.template, time.monotonic())
        _resolve(member, answer)

    def _settle_many(self, batch: Batch, found: Table | Failure, took: float) -> None:
        answers = found if isinstance(found, Failure) else taken_apart(found, len(batch.members))
        if not isinstance(answers, Failure):
            self._pace(took)
            for member, answer in zip(batch.members, answers, strict=True):
                _resolve(member, answer)
        elif answers.trouble is Trouble.UNREACHABLE or self._failures >= FAILURES_UNTIL_AWAY:
            self._fail(batch.members, answers)
        else:
            if answers.trouble in (Trouble.SLOW_QUERY, Trouble.TIMEOUT, Trouble.TOO_LARGE):
                self._pace(_SLOW_SECONDS)
            self._ask_apart(batch)

    def _ask_apart(self, batch: Batch) -> None:
        """Narrows down who broke a batch: first by namespace, then singly."""
        now = time.monotonic()
        namespaces = {member.ask.namespace for member in batch.members}
        for member in batch.members:
            if len(namespaces) == 1:
                member.alone = True
                self._quarantine.put_namespace(member.ask.namespace, now)
            self._lanes.add(member.ask.namespace, member)

    def _pace(self, took: float) -> None:
        if took >= _SLOW_SECONDS:
            self._most_members = max(1, self._most_members // 2)
        elif took < _QUICK_SECONDS:
            self._most_members = min(MOST_MEMBERS, self._most_members + 1)

    def _watch_source(self, found: Table | Failure) -> None:
        if not isinstance(found, Failure) or found.trouble not in OF_THE_SOURCE:
            self._failures = 0
            self._last_failure = None
            return
        self._failures += 1
        if self._failures >= FAILURES_UNTIL_AWAY and found.trouble in (Trouble.UNREACHABLE, Trouble.TIMEOUT):
            self._away_until = time.monotonic() + AWAY_SECONDS
            self._last_failure = found
            self._unsent.clear()
            self._fail(self._lanes.clear(), found)

    def _fail(self, members: Sequence[Member], failure: Failure) -> None:
        for member in members:
            _resolve(member, failure)


def _resolve(member: Member, answer: Answer) -> None:
    if not member.future.done():
        member.future.set_result(answer)
