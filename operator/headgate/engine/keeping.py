"""What is released and kept in Git: whether a revert leaves it alone, and what a person then changes there."""

from headgate.api.rollout import Delivery, RevertSpec
from headgate.api.rollout_status import TargetRef
from headgate.engine.decision import FamilyRestore
from headgate.engine.target import is_another, is_made_again
from headgate.engine.turn import Turn

_MOST_FIELDS = 3


def is_left_alone(turn: Turn) -> bool:
    """Whether a revert writes nothing into what is released; weights are at 0 all the same.

    A target that no weight of ours stands in is restored whoever keeps it: nothing else takes it from anybody.
    """
    match turn.observation.rollout.orders.rollback.revert_spec:
        case RevertSpec.NEVER:
            return True
        case RevertSpec.ALWAYS:
            return False
        case RevertSpec.AUTO:
            return keeper_of(turn) is not None and is_weighed(turn)


def still_asked(turn: Turn) -> str | None:
    """The name by which what is released still is the attempt's candidate; None when it is not, or is not to be seen.

    By its name, or by its content under another name.
    """
    candidate, stable, view = turn.flight.candidate, turn.status.stable, turn.observation.rollout
    if stable is None:
        return None
    if stable.target is not None:
        target = turn.observation.target
        if target is None or target.version is None or target.ref is None or target.ref.uid != stable.target.uid:
            return None
        return candidate.version if target.version.digest == candidate.digest else None
    if view.orders.prompt is None:
        return None
    asked = view.orders.prompt.version
    known = turn.observation.versions.get(asked)
    renamed = known is not None and known.digest == candidate.digest and asked != stable.version
    return asked if asked == candidate.version or renamed else None


def change(turn: Turn) -> str:
    """What to change, and where, so that the last good version is asked for; empty where nobody keeps the rejected one.

    A sentence without its full stop: who keeps it, the field, the value now and the value to set, the command.
    """
    stable, rollout = turn.status.stable, turn.observation.rollout
    keeper, never = keeper_of(turn), _is_never(turn)
    if stable is None or (is_another(turn) and not is_made_again(turn)) or (keeper is None and not never):
        return ""
    put = put_back(turn, " in Git" if keeper is not None else " where it is kept")
    what = f"{stable.target.kind} {stable.target.name}" if stable.target is not None else "this Rollout"
    return f"{_who(keeper, what)}: {put} (headgate git-revert {rollout.name})" if put else ""


def put_back(turn: Turn, where: str = "") -> str:
    """What to change, so that the last good version is asked for; empty where nothing is."""
    stable, asked, family = turn.status.stable, turn.observation.rollout.orders.prompt, other_family(turn)
    if stable is not None and stable.target is not None:
        return f"put {_listed(stable.target.fields)} back{where} as in {stable.version}"
    if stable is None or asked is None:
        return ""
    too = f" and spec.prompt.family from {family.rejected} to {family.restored}" if family is not None else ""
    return f"change spec.prompt.version from {asked.version} to {stable.version}{too}{where}"


def other_family(turn: Turn) -> FamilyRestore | None:
    """The family that the spec names and stable's, where they differ; None too where stable's PromptVersion is gone."""
    stable, asked = turn.status.stable, turn.observation.rollout.orders.prompt
    if stable is None or asked is None:
        return None
    known = turn.observation.versions.get(stable.version)
    if known is None or known.digest != stable.digest or known.family == asked.family:
        return None
    return FamilyRestore(asked.family, known.family)


def _who(keeper: str | None, what: str) -> str:
    return f"{keeper} keeps {what}" if keeper is not None else f"spec.rollback.revertSpec is Never for {what}"


def _is_never(turn: Turn) -> bool:
    return turn.observation.rollout.orders.rollback.revert_spec is RevertSpec.NEVER


def keeper_of(turn: Turn) -> str | None:
    """Who keeps what a revert would write: the Rollout, or the target whoever keeps the Rollout; None: nobody."""
    stable, target = turn.status.stable, turn.observation.target
    if stable is not None and stable.target is not None:
        return target.keeper if target is not None else None
    return turn.observation.rollout.keeper


def is_weighed(turn: Turn) -> bool:
    """Whether a router of ours stands between the release and people: always, but for some targets."""
    stable = turn.status.stable
    if stable is None or stable.target is None:
        return True
    plan, spec = turn.observation.plan, turn.observation.rollout.spec
    routes = plan.delivery if plan is not None else spec.routes() if spec is not None else []
    return any(_is_in(route, stable.target) for route in routes)


def _is_in(route: Delivery, target: TargetRef) -> bool:
    named = route.field.target if route.field is not None else None
    if named is None:
        return False
    group, other = named.api_version.split("/")[0], target.api_version.split("/")[0]
    return (group, named.kind, named.name) == (other, target.kind, target.name)


def _listed(fields: list[str]) -> str:
    more = f" and {len(fields) - _MOST_FIELDS} more fields" if len(fields) > _MOST_FIELDS else ""
    return ", ".join(fields[:_MOST_FIELDS]) + more
