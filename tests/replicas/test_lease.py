"""The Lease with driven clocks: one holder at a time, whatever the clocks say and whoever stood still."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from headgate.cluster.objects import LEASE, NotLeading, Refused, Unavailable
from tests.replicas.clocks import Replica, Server, Time, spec


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def first(time: Time) -> Replica:
    return Replica("first", time, Server())


@pytest.fixture
def second(time: Time, first: Replica) -> Replica:
    return Replica("second", time, first.server.to_the_same())


async def go_on(time: Time, seconds: float, *replicas: Replica) -> None:
    """Everybody takes each turn, four times a second."""
    end = time.now + seconds
    while time.now < end:
        time.now += 0.25
        for replica in replicas:
            await replica.turn()


async def test_the_first_has_it_at_once_and_the_second_waits(time: Time, first: Replica, second: Replica) -> None:
    await first.turn()
    await go_on(time, 60, first, second)
    assert first.holds()
    assert not second.holds()
    assert spec(first.server)["leaseTransitions"] == 0


async def test_a_holder_that_is_gone_is_followed_within_its_duration(
    time: Time, first: Replica, second: Replica
) -> None:
    await first.turn()
    await go_on(time, 3, first, second)
    gone = time.now
    pause = await second.turn()
    while not second.holds():
        time.now += pause
        assert time.now - gone < 60
        pause = await second.turn()
    assert 7 <= time.now - gone <= 12
    assert spec(first.server)["holderIdentity"] == "second"
    assert spec(first.server)["leaseTransitions"] == 1


@pytest.mark.parametrize("years", [-30, 30])
@pytest.mark.parametrize("offset", [-1e6, 1e6])
async def test_clocks_that_differ_neither_shorten_nor_prolong_it(time: Time, offset: float, years: int) -> None:
    first = Replica("first", time, Server(), offset=offset, years=years)
    second = Replica("second", time, first.server.to_the_same())
    await first.turn()
    await go_on(time, 30, first, second)
    assert first.holds()
    assert not second.holds()
    await go_on(time, 12.5, second)
    assert second.holds()


async def test_what_is_given_back_is_taken_at_the_next_look(time: Time, first: Replica, second: Replica) -> None:
    await first.turn()
    await second.turn()
    await first.lease.release()
    assert not first.holds()
    assert await second.turn() <= 3
    assert second.holds()


async def test_who_stood_still_for_too_long_may_not_write_and_learns_that_it_lost(
    time: Time, first: Replica, second: Replica
) -> None:
    await first.turn()
    await go_on(time, 15, second)
    assert second.holds()
    assert not first.holds()
    with pytest.raises(NotLeading, match="second has it now"):
        await first.turn()
    assert not first.holds()
    assert spec(first.server)["holderIdentity"] == "second"


async def test_who_stood_still_and_was_missed_by_nobody_goes_on(time: Time, first: Replica) -> None:
    await first.turn()
    time.now += 3600
    assert not first.holds()
    await first.turn()
    assert first.holds()


async def test_an_answer_that_came_late_does_not_prolong_it(time: Time, first: Replica) -> None:
    await first.turn()
    time.now += 3

    def slowly() -> None:
        time.now += 4

    first.server.delay = slowly
    await first.turn()
    assert not first.holds()


async def test_a_renewal_whose_answer_was_lost_is_no_loss(time: Time, first: Replica, second: Replica) -> None:
    await first.turn()
    time.now += 3
    first.server.loses_answer = True
    await first.turn()
    first.server.loses_answer = False
    time.now += 1
    await first.turn()  # its own write is found
    await first.turn()
    time.now += 6
    await second.turn()
    assert first.holds()
    assert spec(first.server)["leaseTransitions"] == 0


async def test_a_release_after_a_renewal_whose_answer_was_lost_still_lets_the_next_one_in(
    first: Replica, second: Replica, time: Time
) -> None:
    await first.turn()
    time.now += 3
    first.server.loses_answer = True
    await first.turn()
    first.server.loses_answer = False
    await first.lease.release()
    await second.turn()
    assert second.holds()


async def test_a_lease_deleted_under_a_holder_is_not_taken_before_it_was_over(
    time: Time, first: Replica, second: Replica
) -> None:
    await first.turn()
    await second.turn()
    del first.server.objects[LEASE, "ai", "headgate"]
    await go_on(time, 6, second)
    assert not second.holds()
    with pytest.raises(NotLeading, match="nobody has it now"):
        await first.turn()
    await go_on(time, 6, second)
    assert second.holds()


@pytest.mark.parametrize(("promised", "over_after"), [(30, 30), (5, 5), (10**9, 60), (0, 10), ("x", 10), (None, 10)])
async def test_the_holders_own_promise_counts_within_reason(
    time: Time, promised: int | str | None, over_after: int, second: Replica
) -> None:
    stranger = {"holderIdentity": "another-release", "leaseDurationSeconds": promised}
    second.server.put(LEASE, {"metadata": {"name": "headgate"}, "spec": dict(stranger)})
    await second.turn()
    time.now += over_after - 1
    await second.turn()
    assert not second.holds()
    time.now += 1
    await second.turn()
    assert second.holds()


async def test_an_empty_lease_is_nobodys(second: Replica) -> None:
    second.server.put(LEASE, {"metadata": {"name": "headgate"}})
    await second.turn()
    assert second.holds()


async def test_a_right_that_is_missing_is_told(second: Replica) -> None:
    second.server.refusal = Refused("leases is forbidden")
    await second.turn()
    assert second.lease.problem == "Lease ai/headgate cannot be held: leases is forbidden"
    second.server.refusal = None
    await second.turn()
    assert second.lease.problem is None


async def test_an_outage_of_the_api_server_is_no_loss(time: Time, first: Replica, second: Replica) -> None:
    await first.turn()
    await second.turn()
    first.server.loses_answer = True
    second.server.refusal = Unavailable("down")
    await go_on(time, 60, second)
    assert not first.holds()
    first.server.loses_answer = False
    await first.turn()
    assert first.holds()


_stall = st.one_of(st.just(0.0), st.just(0.0), st.floats(0, 16))
_event = st.tuples(
    _stall,  # how much later than it is due the turn comes
    st.one_of(st.just(0.0), st.floats(0, 6)),  # on the way there, and on the way back
    st.booleans(),  # whether the answer is lost
    st.integers(0, 9),  # 0: it gives the Lease back instead
)


# Shrinking a failure would take minutes.
@settings(max_examples=300, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(_event, min_size=20, max_size=60), st.lists(st.floats(0.9, 1.1), min_size=3, max_size=3))
def test_never_do_two_hold_it(events: list[tuple[float, float, bool, int]], rates: list[float]) -> None:
    """With processes that stall, requests that take long, answers that get lost, and clocks that run 10 % off."""
    time, server = Time(), Server()
    replicas = [
        Replica(str(number), time, server.to_the_same(), offset=1000 * number, rate=rate)
        for number, rate in enumerate(rates)
    ]
    due = [0.0 for _ in replicas]

    def check() -> None:
        assert sum(replica.holds() for replica in replicas) <= 1

    async def play() -> None:
        for stall, way, loses_answer, what in events:
            who = min(range(len(replicas)), key=due.__getitem__)
            replica = replicas[who]
            if stall:
                due[who] += stall
                continue
            time.now = max(time.now, due[who])
            check()
            replica.server.delay, replica.server.loses_answer = _later(time, way, check), loses_answer
            try:
                if what == 0:
                    await replica.lease.release()
                pause = await replica.turn()
            except NotLeading:
                pause = 5.0
            check()
            due[who] = time.now + pause

    asyncio.run(play())


def _later(time: Time, seconds: float, check: Callable[[], None]) -> Callable[[], None]:
    def later() -> None:
        time.now += seconds
        check()

    return later
