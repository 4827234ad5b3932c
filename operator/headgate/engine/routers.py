"""Which routers show what the status asks for, and which are to be written: late deliveries, drift, fences."""

from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout import Delivery
from headgate.api.rollout_status import AttemptState
from headgate.engine.decision import NoticeKind
from headgate.engine.desired import deliveries, ids
from headgate.engine.observation import Drift
from headgate.engine.routing import RouterState, Routing, router_id
from headgate.engine.turn import Turn

FIRST_BACK_OFF = timedelta(seconds=10)
LONGEST_BACK_OFF = timedelta(minutes=5)
UNDELIVERED_RETRY = timedelta(seconds=15)


def is_delivered(turn: Turn) -> bool:
    """Whether every router was seen at what the committed status asks for, but for those that an older Rollout has."""
    states = turn.observation.routers
    return all((state := states.get(router)) is not None and state.matches for router in our_routers(turn))


def is_back(turn: Turn) -> bool:
    """Whether every router was seen at what the status asks for, or does not exist any more and exposes nobody."""
    states = turn.observation.routers
    seen = (states.get(router) for router in our_routers(turn))
    return all(state is not None and (state.matches or state.absent) for state in seen)


def our_routers(turn: Turn) -> frozenset[str]:
    """The routers that carry this Rollout's split now, but for those that an older Rollout has."""
    routes = deliveries(turn.observation.rollout, turn.status, turn.manifest or turn.observation.plan)
    return ids(routes) - turn.observation.claimed_by.keys()


def ahead(turn: Turn) -> int:
    """The highest revision that a router carries."""
    return max((state.revision or 0 for state in turn.observation.routers.values()), default=0)


def to_write(turn: Turn, routing: Routing, routes: tuple[Delivery, ...], observed: Routing | None) -> frozenset[str]:
    """The routers that must be written now so that they show ``routing``.

    ``observed`` is the routing that this look's router states were held against.
    """
    wanted, compared = _content(routing), _content(observed) if observed is not None else None
    chosen = set()
    for delivery in routes:
        router = router_id(delivery)
        state = turn.observation.routers.get(router)
        if router in turn.observation.claimed_by:
            continue
        if wanted != compared:
            chosen.add(router)
        elif state is not None and state.matches:
            turn.remember(shown={**turn.memory.shown, router: (wanted, delivery)})
        elif turn.memory.shown.get(router) != (wanted, delivery) or state is None or _lags(state, routing):
            chosen.add(router)
            turn.wake(turn.now + UNDELIVERED_RETRY)
        elif _corrects_drift(turn, router, state, routing):
            chosen.add(router)
    return frozenset(chosen)


def _lags(state: RouterState, routing: Routing) -> bool:
    """Whether a router that exposes nobody only carries too old a revision: a late write could still pass its fence.

    Or what was written into it is no longer what its reader needs.
    """
    nobody = routing.candidate is None and not state.weight and not state.shadow
    exposes_nobody = nobody and state.exposed <= {routing.stable.digest}
    return state.lags or (exposes_nobody and (state.revision or 0) < routing.revision)


def _corrects_drift(turn: Turn, router: str, state: RouterState, routing: Routing) -> bool:
    """Whether a foreign write is undone now: one that lowers exposure once, others at once, then ever more slowly."""
    drift = turn.memory.drift.get(router, Drift())
    if _only_lowers(state, routing):
        if drift.lowered:
            return False
        _remember(turn, router, replace(drift, lowered=True))
    else:
        if drift.not_before is not None and turn.now < drift.not_before:
            turn.wake(drift.not_before)
            return False
        pause = min(FIRST_BACK_OFF * 2 ** min(drift.corrections, 8), LONGEST_BACK_OFF)
        _remember(turn, router, replace(drift, corrections=drift.corrections + 1, not_before=turn.now + pause))
        turn.wake(turn.now + pause)
    turn.tell(
        "DriftCorrected",
        f"{router} was changed by {state.writer or 'somebody else'}: it shows"
        f" {'no split' if state.weight is None else f'{state.weight} %'}, put back to {routing.weight} %",
        NoticeKind.WARNING,
    )
    return True


def _only_lowers(state: RouterState, routing: Routing) -> bool:
    if state.weight is None or state.weight >= routing.weight or routing.candidate is None:
        return False
    return state.exposed <= {routing.stable.digest, routing.candidate.digest}


def _remember(turn: Turn, router: str, drift: Drift) -> None:
    turn.remember(drift={**turn.memory.drift, router: drift})


def _content(routing: Routing) -> Routing:
    return replace(routing, revision=0, attempt=0, uid="")


def undelivered(turn: Turn) -> str:
    """Why the routers do not show what they must, in words; empty when they do."""
    for router in sorted(our_routers(turn)):
        state = turn.observation.routers.get(router)
        if state is None or state.matches:
            continue
        if state.problem is not None:
            return f"{router}: {state.problem}"
        if turn.memory.drift.get(router) is not None:
            shown = "no split of ours" if state.weight is None else f"{state.weight} %"
            return f"{router}: changed by {state.writer or 'somebody else'}, it shows {shown}"
        if turn.state is not AttemptState.ENDED:
            return f"{router}: not at {turn.status.weight} % yet"
    return ""
