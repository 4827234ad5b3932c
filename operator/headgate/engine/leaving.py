"""A Rollout that is deleted: everybody to stable, what was rejected on record and out of the target. No finalizer."""

from headgate.api.plain_text import plain
from headgate.engine.authority import lacks_account
from headgate.engine.decision import Decision
from headgate.engine.desired import deliveries, routing_for
from headgate.engine.ending import record_of
from headgate.engine.reversal import why_rejected
from headgate.engine.routers import ahead, our_routers
from headgate.engine.turn import Turn
from headgate.engine.wayback import restore_after_it, with_rejection


def leave(turn: Turn) -> Decision:
    """Weight 0, at a higher revision, on every router that shows anything else, the record, and then the target."""
    if not turn.memory.leaving:
        # What was on record before may be of a commit that never came about.
        turn.remember(leaving=True, recorded=None)
        turn.change(revision=max(turn.status.revision + 1, ahead(turn)))
    _keep_rejection(turn)
    observation, status = turn.observation, turn.status
    turn.remember(working=status, grown_from=observation.rollout.status)
    late = frozenset(router for router in our_routers(turn) if not _shows_nobody(turn, router))
    if lacks_account(turn):
        late = frozenset(router for router in late if _is_marked(turn, router))
    routes = deliveries(observation.rollout, status, observation.plan)
    gone = status.model_copy(update={"attempt": None, "weight": 0})
    routing = None
    if status.stable is not None:
        routing = routing_for(observation.rollout, gone, observation.plan, observation.versions)
    restore_after_it(turn)
    on_record = turn.memory.recorded is not None
    return Decision(
        manifest=None,
        status=turn.status,
        commit=False,
        routing=routing,
        routes=routes,
        deliver=late if routing is not None else frozenset(),
        record=record_of(turn) if routing is not None and not on_record else None,
        restore=turn.restore,
        notices=(),
        questions=(),
        due=turn.due,
        memory=turn.memory,
        urgent=True,
    )


def _keep_rejection(turn: Turn) -> None:
    """Puts a candidate on record as rejected whose way back was asked for, but not committed any more."""
    if turn.in_flight and (why := why_rejected(turn)) is not None:
        turn.change(rejected=with_rejection(turn, plain(why)))


def _is_marked(turn: Turn, router: str) -> bool:
    """Whether this Rollout once wrote the router: what it never wrote is not its to write without an account."""
    state = turn.observation.routers.get(router)
    return state is not None and state.revision is not None


def _shows_nobody(turn: Turn, router: str) -> bool:
    """Whether the router serves stable to everybody."""
    state, stable = turn.observation.routers.get(router), turn.status.stable
    if state is None or stable is None:
        return False
    return not state.weight and not state.shadow and state.exposed <= {stable.digest}
