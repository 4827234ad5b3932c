"""A status that was lost, or that is older than the world: what outlived it is taken up again, never guessed."""

from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import AttemptState, Outcome, Rejection, StableRef, VersionRef
from headgate.api.target import TargetSubject
from headgate.engine import wayback
from headgate.engine.content import is_named_after
from headgate.engine.decision import NoticeKind
from headgate.engine.ending import end
from headgate.engine.plan import Record
from headgate.engine.routers import ahead, our_states
from headgate.engine.routing import ArmVersion, RouterState, router_id, target_id
from headgate.engine.target import known_target
from headgate.engine.turn import Turn, named

LOST_END = "a router is ahead of the status, so the end of this attempt was lost"


def is_lost(turn: Turn) -> bool:
    """Whether the status knows less than the world: it names no stable version, or a router is ahead of it."""
    return turn.status.stable is None or ahead(turn) > turn.status.revision


def recover(turn: Turn) -> None:
    """Takes stable, rejections and the revision from what outlived the status.

    The record is written before any change of stable is committed, so it and the status are believed before a router,
    which anybody may have edited, but for one of the record's own revision; and no router makes a rejected version
    stable.
    """
    record, status = turn.observation.record, turn.status
    recorded = record.revision if record is not None else -1
    rejected = _united(status.rejected, record.rejected if record is not None else [])
    digests = {rejection.digest for rejection in rejected}
    stable = status.stable
    if record is not None and record.stable is not None and (stable is None or recorded > status.revision):
        stable = _overtaken(turn, record, digests) or record.stable
    if stable is None:
        stable = _frozen(turn) or _shown(turn, our_states(turn), digests)
    if stable is None:
        return
    begun = record.attempt if record is not None else 0
    if status.stable is None:
        # Each attempt costs a revision, so none that was lost had a number above this: old annotations stay stale.
        begun += max(0, ahead(turn) - max(recorded, 0))
    turn.change(
        revision=max(recorded, ahead(turn), status.revision),
        attempts=max(status.attempts, begun),
        rejected=[rejection for rejection in rejected if rejection.digest != stable.digest],
    )
    turn.change(stable=stable)
    if record is not None:
        used = [VersionRef(version=version, digest=digest) for version, digest in record.versions.items()]
        turn.change(taken=[*status.taken, *reversed(used)])
    if turn.in_flight:
        _close(turn, stable)
    turn.happened("Recovered", f"the status was lost or old; on record {named(stable)} is stable", NoticeKind.WARNING)


def _close(turn: Turn, stable: StableRef) -> None:
    """Ends the attempt that the old status has in flight: as promoted when its candidate is on record as stable."""
    failing, attempt = turn.memory.failing, turn.flight
    if attempt.candidate.digest == stable.digest:
        turn.change(weight=0)
        turn.change_attempt(outcome=Outcome.PROMOTED, reason=LOST_END, paused=None)
        end(turn)
        return
    known = (rejection.reason for rejection in turn.status.rejected if rejection.digest == attempt.candidate.digest)
    seen = failing[1] if failing is not None and failing[0] == attempt.number else None
    wayback.begin(turn, Outcome.ROLLED_BACK, seen or next(known, LOST_END), reject=True)


def _frozen(turn: Turn) -> StableRef | None:
    """The stable version that the manifest of an unfinished attempt names."""
    plan = turn.observation.plan
    if plan is None or turn.state is AttemptState.ENDED:
        return None
    stable = plan.stable
    return StableRef(version=stable.version, digest=stable.digest, slot=plan.stable_slot, target=known_target(turn))


def _overtaken(turn: Turn, record: Record, rejected: set[str]) -> StableRef | None:
    """The stable version by the routers, where they contradict a promotion that is on record.

    It is on record before its commit, which may be lost to a way back under the same revision; a router of that
    revision shows what was committed. Where all are older and have it as a candidate still, nobody can tell: it was not
    committed, or not delivered yet. What is tried once more is safer then than what may be rejected.
    """
    promoted, ours = record.stable, our_states(turn)
    if promoted is None:
        return None
    states = [state for state in ours if state.revision == record.revision]
    if not states and all(state.stable is None or state.stable.digest != promoted.digest for state in ours):
        states = [state for state in ours if promoted.digest in state.exposed]
    shown = _shown(turn, states, rejected)
    return shown if shown is None or shown.digest != promoted.digest else None


def _shown(turn: Turn, states: list[RouterState], rejected: set[str]) -> StableRef | None:
    """The stable version that the newest of those routers names, of what the spec releases."""
    believed = [(state, state.stable) for state in states if state.stable is not None]
    believed = [each for each in believed if each[1].digest not in rejected and _may_be_released(turn, *each)]
    if not believed:
        return None
    newest, stable = max(believed, key=lambda each: each[0].revision or 0)
    slot = _slot(turn, newest)
    return StableRef(version=stable.version, digest=stable.digest, slot=slot, target=known_target(turn))


def _may_be_released(turn: Turn, state: RouterState, stable: ArmVersion) -> bool:
    """Whether what a router has as stable may be a version of what the spec releases.

    A router may have been another Rollout's before. What that one had is no version of another kind of subject, nor of
    another object: for that only the object itself vouches.
    """
    spec = turn.observation.rollout.spec
    if spec is None:
        return True
    if is_named_after(stable.version, stable.digest) != (spec.target is not None):
        return False
    return spec.target is None or state.revision is not None or state.router in _in_the_target(spec, spec.target)


def _in_the_target(spec: RolloutSpec, target: TargetSubject) -> frozenset[str]:
    """The routers whose marks stand in the object that is released."""
    places = ((delivery, delivery.field.target) for delivery in spec.routes() if delivery.field is not None)
    return frozenset(
        router_id(delivery) for delivery, place in places if place is not None and target_id(place) == target_id(target)
    )


def _slot(turn: Turn, router: RouterState) -> int:
    """Of an httpRoute's backends, which serves stable: a flag that is newer knows nothing of it."""
    if router.stable_slot is not None:
        return router.stable_slot
    known = (state for state in our_states(turn) if state.stable_slot is not None)
    newest = max(known, key=lambda state: state.revision or 0, default=None)
    return newest.stable_slot or 0 if newest is not None else 0


def _united(mine: list[Rejection], recorded: list[Rejection]) -> list[Rejection]:
    known = {rejection.digest for rejection in mine}
    return [*mine, *(rejection for rejection in recorded if rejection.digest not in known)][: wayback.MOST_REJECTED]
