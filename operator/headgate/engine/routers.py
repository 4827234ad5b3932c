"""Which routers show what the status asks for, and which are to be written: late deliveries, drift, fences."""

from dataclasses import replace
from datetime import timedelta

from headgate.api.rollout import Delivery, KillSwitch
from headgate.api.rollout_status import AttemptState
from headgate.engine.authority import held_off_until, lacks_account, may_lower, refusal_of
from headgate.engine.desired import deliveries, ids
from headgate.engine.drift import corrects_drift, is_fought_over, put_right, told
from headgate.engine.keeping import keeper_of
from headgate.engine.routing import RouterState, Routing, router_id
from headgate.engine.turn import Turn

UNDELIVERED_RETRY = timedelta(seconds=15)
MEASURE_AFTER = timedelta(seconds=1)


def is_delivered(turn: Turn) -> bool:
    """Whether every router was seen at what the committed status asks for, but for those that an older Rollout has.

    Where not even the routers are known, because manifest and spec are both gone, nothing is.
    """
    states = turn.observation.routers
    known = bool(_routes(turn))
    return known and all((state := states.get(router)) is not None and state.matches for router in our_routers(turn))


def is_back(turn: Turn) -> bool:
    """Whether every router was seen at what the status asks for, or does not exist any more and exposes nobody."""
    states = turn.observation.routers
    seen = (states.get(router) for router in our_routers(turn))
    return bool(_routes(turn)) and all(state is not None and (state.matches or state.absent) for state in seen)


def is_exposed(turn: Turn) -> bool:
    """Whether any router lets somebody, or a copy of a request, reach the candidate."""
    tried = turn.flight.candidate.digest
    return any(tried in state.exposed or bool(state.shadow) for state in our_states(turn))


def our_routers(turn: Turn) -> frozenset[str]:
    """The routers that carry this Rollout's split now, but for those that an older Rollout has."""
    return ids(_routes(turn)) - _theirs(turn)


def _theirs(turn: Turn) -> frozenset[str]:
    """The routers that an older Rollout has, but for those that still expose this one's candidate.

    An older one may come to name a router in the middle of an attempt. It does not write what carries the marks of a
    living Rollout, so that nobody else brings that candidate back.
    """
    return frozenset(router for router in turn.observation.claimed_by if not _exposes_ours(turn, router))


def _exposes_ours(turn: Turn, router: str) -> bool:
    seen, attempt, stable = turn.observation, turn.status.attempt, turn.status.stable
    state = seen.routers.get(router)
    if state is None or state.revision is None or attempt is None or stable is None:
        return False
    if seen.claimed_by[router] == seen.rollout.name:
        return False  # this one is gone, and the next one of its name goes on under the same marks
    tried = attempt.candidate.digest
    return tried != stable.digest and (tried in state.exposed or bool(state.shadow))


def _routes(turn: Turn) -> tuple[Delivery, ...]:
    return deliveries(turn.observation.rollout, turn.status, turn.manifest or turn.observation.plan)


def our_states(turn: Turn) -> list[RouterState]:
    """What the routers were seen to show, but for those that an older Rollout has: their word is about that one."""
    theirs = _theirs(turn)
    return [state for router, state in sorted(turn.observation.routers.items()) if router not in theirs]


def ahead(turn: Turn) -> int:
    """The highest revision that a router carries."""
    return max((state.revision or 0 for state in our_states(turn)), default=0)


def to_write(turn: Turn, routing: Routing, routes: tuple[Delivery, ...], observed: Routing | None) -> frozenset[str]:
    """The routers that must be written now so that they show ``routing``.

    ``observed`` is the routing that this look's router states were held against.
    """
    wanted, compared = _content(routing), _content(observed) if observed is not None else None
    measures = bool(turn.questions) and not turn.transition
    chosen = set()
    for delivery in _writable(turn, routes, routing):
        router = router_id(delivery)
        state = turn.observation.routers.get(router)
        tried = turn.memory.tried.get(router) == (routing, delivery)
        if wanted != compared:
            # What it showed before is no measure any more: until it was seen at this, a difference is no drift.
            turn.remember(shown={name: seen for name, seen in turn.memory.shown.items() if name != router})
            chosen.add(router)
        elif state is not None and (state.matches or state.waits):
            _is_as_written(turn, router, state, (wanted, delivery))
        elif (until := held_off_until(turn, router)) is not None:
            turn.wake(until)
        elif (
            state is None
            or turn.memory.shown.get(router) != (wanted, delivery)
            or _is_late(state, routing, tried=tried)
        ):
            turn.wake(turn.now + UNDELIVERED_RETRY)
            if not (measures and tried):
                chosen.add(router)
        elif corrects_drift(turn, router, state, routing):
            chosen.add(router)
        if router in chosen:
            turn.remember(tried={**turn.memory.tried, router: (routing, delivery)})
    if measures and chosen:
        # A router that cannot be written keeps nobody from being judged: the next look measures before it tries again.
        turn.wake(turn.now + MEASURE_AFTER)
    return frozenset(chosen)


def _is_as_written(turn: Turn, router: str, state: RouterState, shown: tuple[Routing, Delivery]) -> None:
    """Nothing is to be written; whether it shows the split by now is up to its reader."""
    if state.matches:
        turn.remember(shown={**turn.memory.shown, router: shown})
        put_right(turn, router)


def _writable(turn: Turn, routes: tuple[Delivery, ...], routing: Routing) -> list[Delivery]:
    """Those that are this Rollout's to write: nobody older has them, and there is somebody to write them as.

    What exposes its candidate is its to take back in any case.
    """
    seen, theirs = turn.observation, _theirs(turn)
    lowers_only = ids(routes) if lacks_account(turn) else frozenset(seen.claimed_by)
    return [
        delivery
        for delivery in routes
        if (router := router_id(delivery)) not in theirs
        and (router not in lowers_only or may_lower(seen.routers.get(router), routing))
    ]


def _is_late(state: RouterState, routing: Routing, *, tried: bool) -> bool:
    """Whether it is no foreign write that is to be undone: it cannot be written at all, or only lags behind."""
    return state.problem is not None or _lags(state, routing, tried=tried)


def _lags(state: RouterState, routing: Routing, *, tried: bool) -> bool:
    """Whether a router that exposes nobody only carries too old a revision: a late write could still pass its fence.

    Or what was written into it is no longer what its reader needs. One that has its revision no more although it was
    written is somebody else's doing.
    """
    if tried:
        return state.lags
    nobody = routing.candidate is None and not state.weight and not state.shadow
    exposes_nobody = nobody and state.exposed <= {routing.stable.digest}
    return state.lags or (exposes_nobody and (state.revision or 0) < routing.revision)


def _content(routing: Routing) -> Routing:
    return replace(routing, revision=0, attempt=0, uid="")


def unusable(turn: Turn) -> str:
    """Which router a person must mend before it can be written, and how; empty when there is none."""
    for router in sorted(our_routers(turn)):
        state = turn.observation.routers.get(router)
        if state is not None and state.problem is not None and not state.matches:
            return f"{router}: {state.problem}"
    return ""


def claimed(turn: Turn) -> str:
    """Which of the spec's routers an older Rollout has, in words; empty when it has none."""
    return "; ".join(
        f"{router}: the older Rollout {owner!r} has it" for router, owner in sorted(turn.observation.claimed_by.items())
    )


def refused(turn: Turn) -> tuple[str, str] | None:
    """Which router's last write was refused, as a word and for people; None when none was."""
    for router in sorted(our_routers(turn)):
        state, known = turn.observation.routers.get(router), refusal_of(turn, router)
        if known is not None and state is not None and not state.matches:
            return known.reason, f"{router}: {known.message}"
    return None


def undelivered(turn: Turn) -> str:
    """Why the routers do not show what they must, in words; empty when they do."""
    view = turn.observation.rollout
    if view.spec is None and view.orders.kill_switch is KillSwitch.LEGACY and turn.state is AttemptState.ENDED:
        return "the spec cannot be read, so nobody knows which routers must show the legacy path; correct it"
    late = ((router, _late(turn, router)) for router in sorted(our_routers(turn)))
    return next((f"{router}: {why}" for router, why in late if why), "")


def _late(turn: Turn, router: str) -> str:
    state, drift = turn.observation.routers.get(router), turn.memory.drift.get(router)
    if state is None:
        return ""
    if state.matches and not is_fought_over(turn, router):
        return state.behind
    if state.problem is not None:
        return state.problem
    if (known := refusal_of(turn, router)) is not None:
        return known.message
    if drift is not None:
        found = drift.found if state.matches else told(state)
        keeper = keeper_of(turn)
        return f"{found}{f'; {keeper} must not keep it: leave it out of Git' if keeper else ''}"
    if state.waits:
        return state.waits
    if turn.state is not AttemptState.ENDED:
        return f"not at {turn.status.weight} % yet"
    if turn.killed and not (state.absent or state.lags):
        return "does not show the kill switch yet"
    return ""
