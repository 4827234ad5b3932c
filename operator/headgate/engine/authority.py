"""In whose name a Rollout's routers and target are written, and what may be written when nobody is named. Pure."""

from datetime import datetime, timedelta

from headgate.api.rollout import RolloutSpec
from headgate.engine.observation import RouterRefusal
from headgate.engine.plan import Plan, Record
from headgate.engine.routing import RouterState, Routing
from headgate.engine.turn import Turn

REQUIRED = "ServiceAccountRequired"
FORBIDDEN = "AccountForbidden"
REFUSED = "WriteRefused"
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(seconds=60)
LONGEST_RETRY_SOON = timedelta(seconds=10)
"""The same for a way back, since somebody may be served what was rejected, and for what was only not answered."""


def account_of(spec: RolloutSpec | None, plan: Plan | None, record: Record | None, *, required: bool) -> str | None:
    """The ServiceAccount that is written as; None is the operator itself.

    What the spec says counts at once. Where it cannot be read, or names nobody although somebody must be named, what
    was written down for the attempt counts, and after that what outlives the Rollout.
    """
    if spec is not None and says_account(spec, required=required):
        return spec.service_account_name
    if plan is not None:
        return plan.service_account_name
    return record.service_account_name if record is not None else None


def says_account(spec: RolloutSpec | None, *, required: bool) -> bool:
    """Whether the spec says as whom is written: it can be read, and names somebody where somebody must be named."""
    return spec is not None and (spec.service_account_name is not None or not required)


def names_nobody(spec: RolloutSpec | None, *, required: bool) -> bool:
    """Whether a spec that can be read names nobody although somebody must be named."""
    return spec is not None and not says_account(spec, required=required)


def written_last_by(plan: Plan, record: Record | None) -> str | None:
    """Who wrote last of those that are written down: an account edited since the attempt began is on record alone."""
    named = record.service_account_name if record is not None and record.attempt >= plan.attempt else None
    return named if named is not None else plan.service_account_name


def lacks_account(turn: Turn) -> bool:
    """Whether the Rollout names nobody although the operator's configuration wants somebody named."""
    return names_nobody(turn.observation.rollout.spec, required=turn.observation.account_required)


def must_name_one(turn: Turn) -> str:
    """What is missing, for people."""
    where = f"ServiceAccount of namespace {turn.observation.rollout.namespace!r}"
    return (
        "the operator's configuration says requireServiceAccountName, and spec.serviceAccountName is missing, so"
        f" nothing is written for this Rollout; name there a {where} that may write its routers and its target"
    )


def may_lower(state: RouterState | None, routing: Routing) -> bool:
    """Whether a routing only takes back what this very Rollout once wrote: that waits for nobody's account."""
    exposes = routing.candidate is not None or routing.weight > 0 or routing.shadow > 0
    return not exposes and state is not None and state.revision is not None


def remember_account(turn: Turn) -> bool:
    """Whether the account must be put on record: a Rollout that is gone is taken back in the same name."""
    view, plan = turn.observation.rollout, turn.observation.plan
    if view.spec is None or not says_account(view.spec, required=turn.observation.account_required):
        return False
    is_edited = view.status.observed_generation != view.generation and not turn.questions
    # Only with what is committed: a record that cannot be written must keep nobody from being judged.
    if not turn.in_flight or not (turn.transition or is_edited):
        return False
    named, known = view.spec.service_account_name, turn.memory.account_recorded
    # What was recorded before a restart is not known: nobody may be named any more where the attempt began with one.
    was_named = plan is not None and plan.service_account_name is not None
    return named != known or (named is None and was_named)


def refused_again(
    before: RouterRefusal | None, account: str | None, reason: str, message: str, now: datetime, *, soon: bool
) -> RouterRefusal:
    """What is remembered of a write that was refused: the next try comes later each time.

    ``soon`` is for what is tried again within seconds however often it was refused.
    """
    tries = before.tries + 1 if before is not None and before.account == account else 1
    longest = LONGEST_RETRY_SOON if soon else LONGEST_RETRY
    return RouterRefusal(account, reason, message, tries, now + min(FIRST_RETRY * 2 ** min(tries - 1, 10), longest))


def refusal_of(turn: Turn, router: str) -> RouterRefusal | None:
    """Why the router could not be written by the account that is named now; None when that is not known."""
    known = turn.memory.refused.get(router)
    return known if known is not None and still_speaks(turn, known.account) else None


def still_speaks(turn: Turn, account: str | None) -> bool:
    """Whether what was written as ``account`` would be written so now; where the spec does not tell it would."""
    spec = turn.observation.rollout.spec
    if spec is None or not says_account(spec, required=turn.observation.account_required):
        return True
    return spec.service_account_name == account


def held_off_until(turn: Turn, router: str) -> datetime | None:
    """Until when a router is not tried again; None when it may be tried now."""
    known = refusal_of(turn, router)
    if known is None or not turn.is_put_off(known.not_before, LONGEST_RETRY):
        return None
    return known.not_before
