"""A target as the subject of a release: another object of its name, other declared fields, what a revert puts back."""

from datetime import timedelta

from headgate.api.rollout_status import StableRef, TargetRef
from headgate.engine.decision import NoticeKind, SpecRestore, TargetRestore
from headgate.engine.ending import record_of
from headgate.engine.observation import TargetView
from headgate.engine.routing import target_id
from headgate.engine.turn import Turn, named

NOT_ALLOWED = "TargetNotAllowed"
NOT_FOUND = "TargetNotFound"
NOT_SERVED = "TargetNotServed"
LONGEST_PAUSE = timedelta(minutes=5)
"""The most by which a restore, or a snapshot or record, that was refused is put off."""


def asker(turn: Turn) -> str:
    """What says which version is released, with its verb: ``spec.prompt.version points``, or that of the target."""
    stable = turn.status.stable
    if stable is None or stable.target is None:
        return "spec.prompt.version points"
    return f"{_called(stable.target)} is"


def departed(turn: Turn) -> str | None:
    """Why the object that the attempt is about is not there any more; None while it is, or is not to be seen."""
    stable, spec, target = turn.status.stable, turn.observation.rollout.spec, turn.observation.target
    if stable is None or spec is None:
        return None
    if (spec.target is None) != (stable.target is None):
        return "the spec releases something of another kind now"
    if target is None or stable.target is None:
        return None
    if target.reason == NOT_FOUND:
        return f"the target {_called(stable.target)} was deleted"
    return _replaced(stable.target, target)


def is_another(turn: Turn) -> bool:
    """Whether the spec releases another object than stable is a version of: it begins with a first version again."""
    stable, spec, target = turn.status.stable, turn.observation.rollout.spec, turn.observation.target
    if stable is None or spec is None:
        return False
    if (spec.target is None) != (stable.target is None):
        return True
    return stable.target is not None and target is not None and _replaced(stable.target, target) is not None


def is_made_again(turn: Turn) -> bool:
    """Whether it is another object of the very name that stable's has."""
    stable, target = turn.status.stable, turn.observation.target
    if stable is None or stable.target is None or target is None or target.ref is None:
        return False
    return is_another(turn) and target_id(target.ref) == target_id(stable.target)


def tell_of_another(turn: Turn, stable: StableRef) -> None:
    """Says that what was stable has nothing to do with the object that is released now."""
    target = turn.observation.target
    why = "the spec releases something of another kind now"
    if stable.target is not None and target is not None:
        why = _replaced(stable.target, target) or why
    turn.tell("TargetReplaced", f"{why}; {named(stable)} is nobody's last good version any more", NoticeKind.WARNING)


def follow_api_version(turn: Turn) -> None:
    """Stable's object is known by the API version that it is read by now; the one before may not stay served."""
    stable, target = turn.status.stable, turn.observation.target
    if stable is None or stable.target is None or target is None or target.ref is None:
        return
    known, read = stable.target, target.ref.api_version
    if target.ref.uid == known.uid and read != known.api_version:
        turn.change(stable=stable.model_copy(update={"target": known.model_copy(update={"api_version": read})}))


def stall_unseen(turn: Turn) -> bool:
    """Whether nobody can tell what stable's object holds, although it may well be there; that stalls the Rollout."""
    stable, target = turn.status.stable, turn.observation.target
    if stable is None or stable.target is None or target is None or target.ref is not None:
        return False
    if target.reason not in (NOT_ALLOWED, NOT_SERVED):
        return False
    turn.stall(target.reason, target.message)
    return True


def has_no_way_back(turn: Turn) -> bool:
    """Whether nothing may be tried for now: what it would be taken back to is not kept."""
    unkept = turn.memory.unkept
    return unkept is not None and turn.is_put_off(unkept.not_before, LONGEST_PAUSE)


def rebase(turn: Turn) -> bool:
    """Where other fields are declared and nothing else was changed: the same content is stable by those fields.

    Whoever declares them accepts what everybody has: where that was once rejected by those fields, it is not any more.
    """
    stable, target = turn.status.stable, turn.observation.target
    if stable is None or target is None or target.version is None or target.rebased is None:
        return False
    if target.version.digest != stable.digest:
        return False
    version, ref = target.rebased, target.rebased_ref
    turn.change(stable=stable.model_copy(update={"version": version.name, "digest": version.digest, "target": ref}))
    told = f"other fields are declared; what they hold is stable as {version.name}"
    lifted = next((known for known in turn.status.rejected if known.digest == version.digest), None)
    if lifted is not None:
        turn.change(rejected=[known for known in turn.status.rejected if known.digest != version.digest])
        told = f"{told}; its rejection in attempt {lifted.attempt} is lifted"
    turn.happened("FieldsDeclared", told)
    turn.record = record_of(turn)
    return True


def known_target(turn: Turn) -> TargetRef | None:
    """The object that a router's marks speak of: they count only on the very object that they were written to."""
    return turn.observation.target.ref if turn.observation.target is not None else None


def restore_target(turn: Turn, stable: StableRef, ref: TargetRef) -> SpecRestore:
    """Puts the last good content back into an object that still holds the rejected one."""
    attempt, plan, spec = turn.flight, turn.observation.plan, turn.observation.rollout.spec
    readers = tuple(plan.delivery) if plan is not None else tuple(spec.routes()) if spec is not None else ()
    order = TargetRestore(ref, attempt.candidate.digest, stable.digest, readers)
    return SpecRestore(attempt.number, attempt.candidate.version, stable.version, target=order)


def _replaced(stable: TargetRef, target: TargetView) -> str | None:
    if target.ref is None or target.ref.uid == stable.uid:
        return None
    if (target.ref.kind, target.ref.name) == (stable.kind, stable.name):
        return f"the target {_called(stable)} was deleted and created again"
    return f"the spec releases {_called(target.ref)} now, not {_called(stable)}"


def _called(ref: TargetRef) -> str:
    return f"{ref.kind} {ref.name}"
