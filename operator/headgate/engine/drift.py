"""Foreign writes to routers: which of them are undone, and how often. Knows no delivery that is merely late."""

from dataclasses import replace
from datetime import timedelta

from headgate.engine.decision import NoticeKind
from headgate.engine.observation import Drift
from headgate.engine.routing import RouterState, Routing
from headgate.engine.turn import Turn

FIRST_BACK_OFF = timedelta(seconds=10)
LONGEST_BACK_OFF = timedelta(minutes=5)
_AGAIN = 2


def corrects_drift(turn: Turn, router: str, state: RouterState, routing: Routing) -> bool:
    """Whether a foreign write is undone now: one that lowers exposure once, others at once, then ever more slowly."""
    drift = turn.memory.drift.get(router, Drift())
    lowers = _only_lowers(state, routing)
    if lowers and drift.righted:
        return False
    if _exposes_more(state, routing) and not drift.exposed:
        drift = replace(drift, corrections=0, not_before=None, exposed=True)
    if drift.not_before is not None:
        if turn.is_put_off(drift.not_before, LONGEST_BACK_OFF):
            turn.wake(drift.not_before)
            return False
        if turn.now >= drift.not_before + LONGEST_BACK_OFF:
            drift = replace(drift, corrections=0)
    pause = min(FIRST_BACK_OFF * 2 ** min(drift.corrections, 8), LONGEST_BACK_OFF)
    corrected = replace(drift, corrections=drift.corrections + 1, not_before=turn.now + pause)
    found = told(state)
    _remember(turn, router, replace(corrected, lowered=drift.lowered or lowers, found=found))
    turn.wake(turn.now + pause)
    turn.tell("DriftCorrected", f"{router} was {found}, put back to {routing.weight} %", NoticeKind.WARNING)
    return True


def told(state: RouterState) -> str:
    """What a router shows instead, and who wrote it."""
    shown = "no split of ours" if state.weight is None else f"{state.weight} %"
    return f"changed by {state.writer or 'somebody else'}, it shows {shown}"


def is_fought_over(turn: Turn, router: str) -> bool:
    """Whether it was corrected again and again: it counts as put right when the last correction has stood a while.

    Without that the condition would turn with every write of somebody who never stops.
    """
    drift = turn.memory.drift.get(router)
    if drift is None or drift.corrections < _AGAIN or drift.not_before is None:
        return False
    if not turn.is_put_off(drift.not_before, LONGEST_BACK_OFF):
        return False
    turn.wake(drift.not_before)
    return True


def put_right(turn: Turn, router: str) -> None:
    """The router was seen to show what it must: a lowering that was corrected is over, and a second one is held."""
    drift = turn.memory.drift.get(router)
    if drift is not None and drift.lowered and not drift.righted:
        _remember(turn, router, replace(drift, righted=True))


def _only_lowers(state: RouterState, routing: Routing) -> bool:
    """Whether what it shows reaches fewer people, or fewer copies, than it must, and nobody else."""
    if state.weight is None or routing.candidate is None:
        return False
    copies = state.shadow or 0
    if state.weight > routing.weight or copies > routing.shadow:
        return False
    fewer = state.weight < routing.weight or copies < routing.shadow
    return fewer and state.exposed <= {routing.stable.digest, routing.candidate.digest}


def _exposes_more(state: RouterState, routing: Routing) -> bool:
    """Whether it reaches more people than was committed, or with something else."""
    allowed = {routing.stable.digest} | ({routing.candidate.digest} if routing.candidate is not None else set())
    return (state.weight or 0) > routing.weight or (state.shadow or 0) > routing.shadow or not state.exposed <= allowed


def _remember(turn: Turn, router: str, drift: Drift) -> None:
    turn.remember(drift={**turn.memory.drift, router: drift})
