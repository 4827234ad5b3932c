"""The decision: from one observation and the time to what happens next. Pure: no I/O, no clock, no randomness."""

from dataclasses import replace
from datetime import datetime

from headgate.api.rollout_status import AttemptState, RolloutStatus
from headgate.engine import aftermath, beginning, recovery, routers, steps, wayback
from headgate.engine.authority import REQUIRED, lacks_account, must_name_one, remember_account
from headgate.engine.decision import Decision, Notice
from headgate.engine.desired import deliveries, routing_for, united
from headgate.engine.ending import record_of
from headgate.engine.leaving import leave
from headgate.engine.observation import Observation
from headgate.engine.patience import patiently
from headgate.engine.presentation import presented
from headgate.engine.reversal import turn_back
from headgate.engine.subject import resolve
from headgate.engine.taken import taken
from headgate.engine.target import NOT_ALLOWED, follow_api_version, has_no_way_back
from headgate.engine.turn import Turn
from headgate.engine.writing import is_worth_writing


def decide(observation: Observation, now: datetime) -> Decision:
    """What follows from ``observation`` at ``now`` (aware, UTC).

    Deciding twice on the same observation gives the same answer. Without a look (``observation.look is None``) the
    answer may name questions: measure them and decide again, unless something was already decided.
    """
    turn = Turn(observation, now, _known_status(observation), observation.memory)
    if observation.rollout.deleting:
        return _leave(turn)
    if recovery.is_lost(turn):
        if not observation.fresh:
            return _reread(turn)
        recovery.recover(turn)
    if not turn.transition:
        _advance(turn)
    if turn.record is None and remember_account(turn) and not has_no_way_back(turn):
        turn.record = record_of(turn)
    return _close(turn)


def _leave(turn: Turn) -> Decision:
    if recovery.is_lost(turn):
        if not turn.observation.fresh:
            return _reread(turn)
        recovery.recover(turn)
        turn.transition = False  # nothing is committed any more
        turn.remember(leaving=False)
    return leave(turn)


def _advance(turn: Turn) -> None:
    follow_api_version(turn)
    subject = patiently(turn, resolve(turn.observation, turn.status))
    _stall(turn)
    if turn.in_flight:
        steps.hear(turn)
        if turn_back(turn, subject):
            return
    match turn.state:
        case AttemptState.ENDED:
            beginning.rest(turn, subject)
        case AttemptState.VERIFYING:
            beginning.verify(turn)
        case AttemptState.STEPPING:
            steps.step_on(turn)
        case AttemptState.BAKING:
            steps.bake(turn)
        case AttemptState.ROLLING_BACK:
            wayback.go_on(turn)


def _stall(turn: Turn) -> None:
    """Nothing rises while something around the Rollout waits for a person."""
    if turn.observation.claimed_by:
        router, owner = min(turn.observation.claimed_by.items())
        turn.stall("Claimed", f"{router} is already claimed by the older Rollout {owner!r}; name another one here")
    if lacks_account(turn):
        turn.stall(REQUIRED, must_name_one(turn))
    unkept = turn.memory.unkept
    if unkept is not None and has_no_way_back(turn):
        turn.stall(unkept.reason, unkept.message, invalid=False)
        turn.wake(unkept.not_before)
    target = turn.observation.target
    if target is not None and target.reason == NOT_ALLOWED:
        turn.stall(target.reason, target.message)
    if (refused := routers.refused(turn)) is not None:
        turn.stall(*refused, invalid=False)
    # Where the target itself is not to be seen, its field says nothing more.
    if (target is None or not target.reason) and (unusable := routers.unusable(turn)):
        turn.stall("RouterUnusable", unusable, invalid=False)


def _known_status(observation: Observation) -> RolloutStatus:
    """The committed status, or what has grown from it since without being worth a write."""
    memory, committed = observation.memory, observation.rollout.status
    if memory.working is not None and memory.grown_from == committed:
        return memory.working
    return committed


def _close(turn: Turn) -> Decision:
    observation = turn.observation
    view, committed, base = observation.rollout, observation.rollout.status, _known_status(observation)
    aftermath.take_down(turn)
    plan = turn.manifest or observation.plan
    if turn.transition:
        turn.change(revision=turn.status.revision + 1, taken=taken(committed, turn.status))
    before = routing_for(view, committed, observation.plan, observation.versions)
    routing = routing_for(view, turn.status, plan, observation.versions)
    routes = deliveries(view, turn.status, plan)
    if turn.state is AttemptState.ENDED and turn.transition:
        routes = united(routes, deliveries(view, committed, observation.plan))
    writable = routing is not None and turn.status.stable is not None
    deliver = routers.to_write(turn, routing, routes, before) if writable and routing is not None else frozenset[str]()
    undecided = bool(turn.questions) and not turn.transition
    status = base if undecided else presented(turn)
    commit = turn.transition or (not undecided and is_worth_writing(turn, committed, status))
    working = _measured(base, status) if commit else status
    memory = replace(turn.memory, working=working, grown_from=committed)
    if commit:
        memory = replace(memory, unwritten_since=None)
    return Decision(
        manifest=turn.manifest,
        status=status,
        commit=commit,
        routing=routing if writable else None,
        routes=routes,
        deliver=deliver,
        record=turn.record,
        restore=turn.restore,
        notices=_notices(turn, committed, status if commit else committed, silent=undecided and not deliver),
        questions=tuple(turn.questions),
        due=turn.due,
        memory=memory,
        hooks=aftermath.due_hooks(view),
        urgent=turn.urgent,
    )


def _measured(base: RolloutStatus, status: RolloutStatus) -> RolloutStatus:
    """What counts where ``status`` cannot be committed: nothing of it happened, but what was measured was."""
    before, after = base.attempt, status.attempt
    if before is None or after is None or (before.number, before.candidate) != (after.number, after.candidate):
        return base
    return base.model_copy(update={"verdicts": status.verdicts})


def _notices(turn: Turn, committed: RolloutStatus, status: RolloutStatus, *, silent: bool) -> tuple[Notice, ...]:
    told = () if silent else tuple(turn.notices)
    return *told, *aftermath.notices(committed, status)


def _reread(turn: Turn) -> Decision:
    """Nothing can be decided on what is known: ask for everything to be read from the API server."""
    return Decision(
        manifest=None,
        status=turn.status,
        commit=False,
        routing=None,
        routes=(),
        deliver=frozenset(),
        record=None,
        restore=None,
        notices=(),
        questions=(),
        due=None,
        memory=turn.memory,
        reread=True,
    )
