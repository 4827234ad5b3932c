"""Edits, aborts, slow models and late statuses in any order: in the end KServe serves what headgate says is stable."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headgate.controller import clock
from headgate.engine.content import content_of
from tests.controller.ranker import MODEL, Ranker

MODELS = ["m1", "m2", "m3"]
STEPS = [*MODELS, "abort", "11 s", "60 s", "loads", "is loaded", "kserve", "silent kserve", "something else"]


def digest(model: str) -> str:
    return content_of({"spec": {"predictor": {"model": {"storageUri": model}}}}, [MODEL]).digest


def shows_a_rejected_model(ranker: Ranker) -> bool:
    """While no attempt is in flight."""
    attempt = ranker.status.get("attempt")
    rejected = {each["digest"] for each in ranker.status.get("rejected", [])}
    ended = attempt is None or attempt["state"] == "Ended"
    return ended and any(digest(model) in rejected for model in ranker.served)


def is_admitted(ranker: Ranker) -> bool:
    """KServe was not left the time to go back, which it does only while nothing else is loading; headgate says so."""
    delivered = ranker.condition("Delivered")
    return delivered["status"] == "False" and "KServe gives everybody to" in delivered["message"]


async def happens(ranker: Ranker, step: str, count: int) -> None:
    match step:
        case "abort":
            attempt = ranker.status.get("attempt")
            ranker.house.annotate(abort=str(attempt["number"] if attempt else 1))
        case "11 s" | "60 s":
            await ranker.goes_on(int(step.split(maxsplit=1)[0]))
        case "loads" | "is loaded":
            ranker.kserve.slow = step == "loads"
        case "kserve" | "silent kserve":
            ranker.reconcile(reports=step == "kserve")
        case "something else":
            ranker.edit(minReplicas=count + 2)
        case model:
            ranker.edit(model)
    await ranker.house.look()


async def play(steps: Sequence[str]) -> None:
    ranker = Ranker(bakeFor="1m", rollback={"revertSpec": "Always"})

    def monotonic() -> float:
        return ranker.house.time.timestamp()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "monotonic", monotonic)
        await ranker.begin()
        for count, step in enumerate(steps):
            await happens(ranker, step, count)
        await ranker.goes_on(1, times=3)
        await ranker.goes_on(40)
        await ranker.goes_on(1, times=2)
        assert not shows_a_rejected_model(ranker) or is_admitted(ranker)
        ranker.kserve.slow = False
        await ranker.goes_on(15, times=12)
        await ranker.goes_on(200, times=4)
        stable = next(model for model in MODELS if digest(model) == ranker.status["stable"]["digest"])
        if shows_a_rejected_model(ranker):
            assert is_admitted(ranker)
            ranker.edit(stable)
            await ranker.goes_on(15, times=6)
        if ranker.model == stable:
            assert ranker.served == {stable: 100}


@settings(max_examples=150, deadline=None)
@example(["m3", "11 s", "11 s", "11 s", "loads", "abort", "m1"])
@example(["m2", "11 s", "11 s", "11 s", "abort", "something else", "m1", "m2"])
@given(st.lists(st.sampled_from(STEPS), min_size=3, max_size=10))
def test_nobody_is_left_with_anything_but_what_is_stable(steps: list[str]) -> None:
    asyncio.run(play(steps))
