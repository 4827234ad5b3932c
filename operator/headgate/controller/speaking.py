"""As whom headgate writes into the objects of a Rollout's namespace: the one place where that is chosen.

Routers, targets and the Jobs of hooks are written as the Rollout's ServiceAccount where it names one. headgate's own
resources, their statuses, records, manifests, snapshots and Events are always written as headgate.
"""

import re
from dataclasses import dataclass

from headgate.cluster.objects import ClusterError, Forbidden, Impersonates, Refused, Revisions
from headgate.cluster.snapshots import Snapshots
from headgate.engine.authority import FORBIDDEN, REFUSED, account_of, says_account
from headgate.engine.observation import RolloutView
from headgate.engine.plan import Plan

_LACKS_A_RIGHT = re.compile(r'forbidden: User "[^"]*" cannot ')
_MAY_NOT_IMPERSONATE = "cannot impersonate"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody's hands: what is written by them is written with that account's rights."""

    objects: Revisions
    namespace: str
    account: str | None
    """The ServiceAccount; None for headgate itself."""

    def refusal(self, error: ClusterError) -> tuple[str, str]:
        """What the API server would not do, as a word, and in one line with the way out."""
        if not isinstance(error, Forbidden) or not _LACKS_A_RIGHT.search(str(error)):
            # A policy, a webhook or a quota: no right would change that.
            return REFUSED, str(error)
        if self.account is None:
            return FORBIDDEN, str(error)
        who = f"{self.namespace}/{self.account}"
        if _MAY_NOT_IMPERSONATE in str(error):
            way_out = f"let headgate speak as ServiceAccount {who}: the chart's value impersonation, docs/security.md"
        else:
            way_out = f"give ServiceAccount {who} that right with a Role and a RoleBinding, or name another one"
        return FORBIDDEN, f"{error}; {way_out}"


class Speaking:
    """Finds the hands for a Rollout."""

    def __init__(self, objects: Impersonates, snapshots: Snapshots, *, required: bool = False) -> None:
        """``required``: who names nobody is written for as whoever was named before, so that a way back has a way."""
        self._objects = objects
        self._snapshots = snapshots
        self._required = required

    async def of(self, view: RolloutView, plan: Plan | None) -> Speaker:
        """Who writes for this Rollout now.

        Raises ClusterError, where the record must be read and cannot be; Refused for a name that is none.
        """
        record = None
        if plan is None and not says_account(view.spec, required=self._required):
            record = await self._snapshots.record(view.key)
        account = account_of(view.spec, plan, record, required=self._required)
        return self.as_account(view.namespace, account)

    async def for_more(self, view: RolloutView) -> Revisions:
        """Who makes what no way back needs. Raises Refused where somebody must be named and nobody is; ClusterError."""
        speaker = await self.of(view, None)
        if self._required and speaker.account is None:
            raise Refused("spec.serviceAccountName is missing, and the operator's configuration requires it")
        return speaker.objects

    def as_account(self, namespace: str, account: str | None) -> Speaker:
        """That account's hands, or headgate's own. Raises Refused for a name that is none."""
        objects = self._objects if account is None else self._objects.acting_as(namespace, account)
        return Speaker(objects, namespace, account)
