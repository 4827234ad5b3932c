"""A status that was lost, or that is older than the world: what outlived it is taken up again, never guessed."""

from headgate.api.rollout_status import Outcome, Rejection, StableRef
from headgate.engine import wayback
from headgate.engine.decision import NoticeKind
from headgate.engine.routers import ahead
from headgate.engine.routing import RouterState
from headgate.engine.target import known_target
from headgate.engine.turn import Turn, named

LOST_END = "a router is ahead of the status, so the end of this attempt was lost"


def is_lost(turn: Turn) -> bool:
    """Whether the status knows less than the world: it names no stable version, or a router is ahead of it."""
    return turn.status.stable is None or ahead(turn) > turn.status.revision


def recover(turn: Turn) -> None:
    """Takes stable, rejections and the revision from what outlived the status, whichever of it is newest."""
    record, router = turn.observation.record, _newest_router(turn)
    recorded = record.revision if record is not None else -1
    shown = router.revision or 0 if router is not None else -1
    stable = turn.status.stable
    known = turn.status.revision if stable is not None else -1
    if router is not None and router.stable is not None and shown > max(recorded, known):
        stable = StableRef(
            version=router.stable.version,
            digest=router.stable.digest,
            slot=_slot(turn, router),
            target=known_target(turn),
        )
    elif record is not None and record.stable is not None and recorded > known:
        stable = record.stable
    if stable is None:
        return
    if turn.in_flight:
        wayback.begin(turn, Outcome.ROLLED_BACK, LOST_END, reject=True)
    turn.change(
        stable=stable,
        revision=max(recorded, shown, turn.status.revision),
        attempts=max(turn.status.attempts, record.attempt if record is not None else 0),
        rejected=_united(turn.status.rejected, record.rejected if record is not None else []),
    )
    turn.happened("Recovered", f"the status was lost or old; on record {named(stable)} is stable", NoticeKind.WARNING)


def _slot(turn: Turn, router: RouterState) -> int:
    if router.stable_slot is not None:
        return router.stable_slot
    known = turn.observation.record.stable if turn.observation.record is not None else turn.status.stable
    return known.slot if known is not None else 0


def _newest_router(turn: Turn) -> RouterState | None:
    states = [state for state in turn.observation.routers.values() if state.stable is not None]
    return max(states, key=lambda state: state.revision or 0, default=None)


def _united(mine: list[Rejection], recorded: list[Rejection]) -> list[Rejection]:
    known = {rejection.digest for rejection in mine}
    return [*mine, *(rejection for rejection in recorded if rejection.digest not in known)][: wayback.MOST_REJECTED]
