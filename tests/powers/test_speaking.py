"""As whom headgate writes: the Rollout's ServiceAccount, what happens when that may not, and who is written for."""

import asyncio
import json
from typing import Any

import pytest

from headgate.api.rollout import Delivery, FlagConfigMap, FlagDelivery
from headgate.api.rollout_status import Phase
from headgate.cluster.objects import (
    CONFIG_MAP,
    HTTP_ROUTE,
    JOB,
    ROLLOUT,
    ClusterError,
    Forbidden,
    Json,
    JsonValue,
    Kind,
    Refused,
)
from headgate.cluster.snapshots import Snapshots
from headgate.controller.orphans import Orphans
from headgate.delivery.router import routers
from headgate.engine.authority import REQUIRED
from headgate.engine.observation import Key
from tests.controller import documents
from tests.controller.house import REPLY, House
from tests.delivery.memory_cluster import Document, MemoryCluster
from tests.delivery.releases import routing

DEPLOYER = "ai/deployer"
FORBIDDEN = (
    'PATCH /api/v1/namespaces/ai/configmaps/reply-flags: configmaps "reply-flags" is forbidden: User'
    ' "system:serviceaccount:ai:deployer" cannot patch resource "configmaps" in API group "" in the namespace "ai"'
)
HELD: list[dict[str, Any]] = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


def restarted(before: House) -> House:
    """Another operator goes on."""
    house = House()
    house.time = before.time
    house.take_over(before)
    return house


async def at_rest(house: House, account: str | None = "deployer", steps: object = None) -> None:
    """v1 is stable."""
    await house.versions("v1", "v2", "v3")
    house.put(ROLLOUT, documents.rollout("v1", serviceAccountName=account, steps=steps or documents.STEPS))
    await house.look()


async def at_ten(house: House, account: str | None = "deployer", steps: object = None) -> None:
    """v2 is in its first step."""
    await at_rest(house, account, steps)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName=account, steps=steps or documents.STEPS))
    await house.look(1)
    assert house.status["weight"] == 10


def forbids(house: House, *accounts: str) -> None:
    def words(account: str, kind: Kind) -> str | None:
        return FORBIDDEN if account in accounts and kind == CONFIG_MAP else None

    house.cluster.forbidden = words


def condition(house: House, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in house.status["conditions"] if each["type"] == kind)
    return found


def written_by(house: House, account: str = DEPLOYER) -> set[str]:
    return {name for known, _, _, name in house.cluster.by_account if known == account}


def shown(house: House) -> int:
    flag = json.loads(house.flags())["flags"]["reply"]
    return int(flag["metadata"]["headgate.dev/weight"])


async def routed(house: House, version: str, route: Document | None = None) -> None:
    """Somebody asks for that version, and an HTTPRoute shares it out between two backends."""
    await house.versions("v1", "v2")
    if (HTTP_ROUTE, "ai", "reply") not in house.cluster.objects:
        refs: list[JsonValue] = [{"name": "blue", "port": 80}, {"name": "green", "port": 80}]
        made: Document = {"metadata": {"name": "reply", "uid": "route-1"}, "spec": {"rules": [{"backendRefs": refs}]}}
        house.put(HTTP_ROUTE, route or made)
    delivery = [{"httpRoute": {"name": "reply", "backends": ["blue", "green"]}}]
    house.put(ROLLOUT, documents.rollout(version, delivery=delivery, steps=HELD))
    await house.look(1)


def again(house: House, document: dict[str, Any]) -> None:
    """A person makes a Rollout of that name again."""
    document["metadata"] |= {"uid": "another", "creationTimestamp": "2026-11-21T12:30:00Z"}
    house.put(ROLLOUT, document)


async def test_routers_are_written_as_the_account_and_headgates_own_things_as_headgate() -> None:
    house = House()
    await at_ten(house)
    house.sources.values["v2"] = 9
    await house.look(2)
    assert house.status["phase"] == Phase.ROLLED_BACK
    assert written_by(house) == {"reply-flags"}
    as_headgate = {(kind, name) for verb, kind, name in house.cluster.writes}
    assert {("Rollout", "reply"), ("ConfigMap", "reply-record")} <= as_headgate
    assert house.rollout["spec"]["prompt"]["version"] == "v1"


async def test_jobs_of_hooks_are_made_as_the_account() -> None:
    house = House()
    await at_rest(house)
    view = house.store.rollouts.get(REPLY)
    assert view is not None
    body: Json = {"metadata": {"name": "clear-cache"}}
    await (await house.speaking.for_more(view)).create(JOB, "ai", body)
    assert (DEPLOYER, "create", "Job", "clear-cache") in house.cluster.by_account


async def test_without_an_account_headgate_writes_as_itself() -> None:
    house = House()
    await at_ten(house, account=None)
    assert house.cluster.by_account == []


async def test_an_account_without_the_right_holds_the_weights_and_the_condition_has_the_servers_words() -> None:
    house = House()
    await at_rest(house)
    forbids(house, DEPLOYER)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="deployer"))
    await house.look(1)
    await house.look(1)
    stalled = condition(house, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "AccountForbidden")
    assert 'cannot patch resource "configmaps"' in stalled["message"]
    assert "give ServiceAccount ai/deployer that right" in stalled["message"]
    assert shown(house) == 0
    assert house.status["attempt"]["step"].get("deliveredAt") is None
    for _ in range(20):
        await house.look(30)
    assert house.status["attempt"]["step"]["index"] == 0


@pytest.mark.parametrize(
    "words",
    [
        'configmaps "reply-flags" is forbidden: exceeded quota: few, requested: count/configmaps=1',
        'admission webhook "policy.example.com" denied the request: flags are frozen, nobody cannot be too careful',
        "configmaps \"reply-flags\" is forbidden: ValidatingAdmissionPolicy 'frozen' denied request: not today",
    ],
    ids=["quota", "webhook", "policy"],
)
@pytest.mark.parametrize("account", ["deployer", None])
async def test_what_no_right_would_change_is_told_without_advice_on_rights(account: str | None, words: str) -> None:
    house = House()
    await at_rest(house, account)
    house.cluster.forbidden = lambda _account, kind: words if kind == CONFIG_MAP else None

    def refuses_headgate_the_flags(kind: Kind, _subresource: str) -> ClusterError | None:
        return Forbidden(words) if account is None and kind == CONFIG_MAP and house.status["weight"] else None

    house.cluster.fault = refuses_headgate_the_flags
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName=account, steps=HELD))
    await house.look(1)
    await house.look(1)
    stalled = condition(house, "Stalled")
    assert (stalled["reason"], stalled["message"].partition(": ")[2]) == ("WriteRefused", words)


async def test_a_refused_write_is_tried_again_ever_more_slowly_and_works_once_the_right_is_there() -> None:
    house = House()
    await at_rest(house)
    forbids(house, DEPLOYER)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="deployer", steps=HELD))
    for _ in range(600):
        await house.look(1)
    tries = house.cluster.requests.count(("forbidden", "ConfigMap", "reply-flags"))
    assert 8 <= tries <= 20
    forbids(house)
    await house.look(61)
    assert shown(house) == 10
    await house.look(1)
    assert condition(house, "Stalled")["status"] == "False"


async def test_another_account_in_the_spec_counts_at_once() -> None:
    house = House()
    await at_rest(house)
    forbids(house, DEPLOYER)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="deployer", steps=HELD))
    await house.look(1)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="releaser", steps=HELD))
    await house.look(0.1)
    assert shown(house) == 10
    assert written_by(house, "ai/releaser") == {"reply-flags"}


async def test_an_account_that_is_taken_out_of_the_spec_counts_no_more_at_once() -> None:
    house = House()
    await at_rest(house)
    forbids(house, DEPLOYER)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="deployer", steps=HELD))
    for _ in range(100):
        await house.look(1)
    assert condition(house, "Stalled")["reason"] == "AccountForbidden"
    house.put(ROLLOUT, documents.rollout("v2", steps=HELD))
    await house.look(0.1)
    assert shown(house) == 10
    assert condition(house, "Stalled")["status"] == "False"


async def test_a_way_back_that_the_account_may_not_write_restores_the_spec_and_goes_on_trying() -> None:
    house = House()
    await at_ten(house)
    forbids(house, DEPLOYER)
    house.sources.values["v2"] = 9
    await house.look(2)
    await house.look(1)
    assert house.status["phase"] == Phase.ROLLING_BACK
    assert house.rollout["spec"]["prompt"]["version"] == "v1"
    assert [each["version"] for each in house.status["rejected"]] == ["v2"]
    assert condition(house, "Stalled")["reason"] == "AccountForbidden"
    forbids(house)
    await house.look(10)
    await house.look(1)
    assert shown(house) == 0
    assert house.status["phase"] == Phase.ROLLED_BACK


async def test_a_spec_that_cannot_be_read_is_taken_back_as_whom_the_attempt_was_begun() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    house.cluster.by_account.clear()
    broken = documents.rollout("v2", serviceAccountName="deployer", steps="none")
    broken["metadata"]["annotations"] = {"headgate.dev/abort": "1"}
    house.put(ROLLOUT, broken)
    await house.look(1)
    assert shown(house) == 0
    assert written_by(house) == {"reply-flags"}


@pytest.mark.parametrize("how", ["taken out", "unreadable"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_an_account_that_was_edited_in_mid_attempt_is_the_one_that_takes_it_back(
    how: str, *, restarts: bool
) -> None:
    required = how == "taken out"
    house = House(account_required=required)
    steps = [{"weight": 10, "holdFor": "10s"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]
    await at_ten(house, steps=steps)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="releaser", steps=steps))
    await house.look(11)
    assert shown(house) == 50
    if restarts:
        before, house = house, House(account_required=required)
        house.time = before.time
        house.take_over(before)
    forbids(house, DEPLOYER)
    house.put(ROLLOUT, documents.rollout("v2", steps=steps if required else "none"))
    await house.look(1)
    house.annotate(abort="1")
    await house.look(1)
    await house.look(1)
    assert shown(house) == 0
    assert house.status["attempt"]["outcome"] == "RolledBack"
    record = await Snapshots(house.cluster).record(REPLY)
    assert record is not None
    assert record.service_account_name == "releaser"


async def test_a_rollout_that_is_deleted_is_put_at_stable_as_its_account() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    house.cluster.by_account.clear()
    view = house.store.lost_rollout(REPLY, 10_000)
    assert view is not None
    house.reconcile.depart(view)
    await house.look(1)
    assert shown(house) == 0
    assert written_by(house) == {"reply-flags"}


async def test_a_rollout_that_is_made_again_with_another_account_does_not_wait_for_the_one_that_was_deleted() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    house.sources.values["v2"] = 9
    forbids(house, DEPLOYER)
    house.delete()
    await house.look(1)
    assert shown(house) == 10
    again(house, documents.rollout("v1", serviceAccountName="releaser", steps=HELD))
    await house.look(15)
    assert shown(house) == 0
    assert house.status["phase"] == Phase.IDLE
    assert written_by(house, "ai/releaser") == {"reply-flags"}
    # What it shows from now on is its own, also when the account that was refused is not any more.
    house.put(ROLLOUT, documents.rollout("v3", serviceAccountName="releaser", steps=HELD))
    forbids(house)
    house.cluster.by_account.clear()
    for _ in range(5):
        await house.look(15)
    assert shown(house) == 10
    assert written_by(house) == set()


async def test_what_only_the_deleted_one_named_is_still_put_at_stable_beside_the_next_of_its_name() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    forbids(house, DEPLOYER)
    house.delete()
    await house.look(1)
    another = documents.rollout("v1", serviceAccountName="releaser", steps=HELD)
    another["spec"]["delivery"] = [documents.flag_delivery("another")]
    again(house, another)
    await house.look(15)
    assert house.status["phase"] == Phase.IDLE
    assert written_by(house, "ai/releaser") == {"another-flags"}
    assert shown(house) == 10
    forbids(house)
    await house.look(15)
    assert shown(house) == 0


async def test_what_a_deleted_rollout_left_behind_is_put_at_stable_as_the_account_on_record() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    house.cluster.by_account.clear()
    del house.cluster.objects[ROLLOUT, "ai", "reply"]
    house.store.lost_rollout(REPLY, 10_000)
    restarted = Snapshots(house.cluster)
    house.store.documents.watched(CONFIG_MAP, house.cluster.at(CONFIG_MAP, "reply-flags"), deleted=False)
    await Orphans(house.store, house.cluster, house.speaking, restarted).put_at_stable()
    assert shown(house) == 0
    assert written_by(house) == {"reply-flags"}


async def test_an_account_that_is_named_later_is_on_record_before_the_next_step() -> None:
    house = House()
    await at_rest(house, account=None)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="deployer", steps=HELD))
    await house.look(1)
    record = await Snapshots(house.cluster).record(REPLY)
    assert record is not None
    assert record.service_account_name == "deployer"


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("named", ["releaser", None])
async def test_an_account_that_was_edited_in_mid_attempt_is_written_as_when_the_rollout_is_deleted_unseen(
    named: str | None, *, restarts: bool
) -> None:
    house = House()
    await at_ten(house, steps=HELD)
    if restarts:
        house = restarted(house)
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName=named, steps=HELD))
    await house.look(1)
    del house.cluster.objects[ROLLOUT, "ai", "reply"]
    house = restarted(house)
    forbids(house, DEPLOYER)
    await Orphans(house.store, house.cluster, house.speaking, Snapshots(house.cluster)).put_at_stable()
    assert shown(house) == 0
    assert written_by(house, "ai/releaser") == ({"reply-flags"} if named is not None else set())


async def test_a_record_that_takes_no_other_account_keeps_nobody_from_being_judged() -> None:
    house = House()
    await at_ten(house, steps=HELD)
    record = house.cluster.at(CONFIG_MAP, "reply-record")
    house.cluster.fault = lambda kind, _subresource: Refused("exceeded quota") if kind == CONFIG_MAP else None
    house.put(ROLLOUT, documents.rollout("v2", serviceAccountName="releaser", steps=HELD))
    await house.look(1)
    assert condition(house, "Stalled")["reason"] == "RecordRefused"
    house.sources.values["v2"] = 9
    await house.look(2)
    assert house.status["phase"] == Phase.ROLLING_BACK
    assert house.cluster.at(CONFIG_MAP, "reply-record") == record
    house.cluster.fault = lambda _kind, _subresource: None
    for _ in range(3):
        await house.look(30)
    assert (shown(house), house.status["phase"]) == (0, Phase.ROLLED_BACK)


async def test_two_rollouts_in_one_document_are_each_written_with_their_own_rights() -> None:
    house = House()
    forbids(house, DEPLOYER)
    await house.versions("v1", "v2")
    place = {"configMap": {"name": "shared"}}
    for name, account in (("reply", "deployer"), ("search", "releaser"), ("rank", None)):
        delivery = [{"flag": {"name": name, "key": "companyId", **place}}]
        house.put(ROLLOUT, documents.rollout("v1", name=name, serviceAccountName=account, delivery=delivery))
    for name in ("reply", "search", "rank"):
        await house.reconcile.look(Key("ai", name))
    flags = json.loads(house.cluster.at(CONFIG_MAP, "shared")["data"]["flags.json"])["flags"]
    assert sorted(flags) == ["rank", "search"]


async def test_what_waits_for_one_document_together_is_not_written_with_a_neighbours_rights() -> None:
    cluster = MemoryCluster()
    cluster.forbidden = lambda account, _kind: FORBIDDEN if account == "ai/powerless" else None

    async def deliver(name: str, account: str) -> object:
        place = FlagConfigMap(name="shared")
        delivery = Delivery(flag=FlagDelivery(name=name, key="companyId", config_map=place))
        writer = cluster.acting_as("ai", account)
        (router,) = routers("ai", [delivery], writer, cluster.documents).values()
        return await router.apply(routing(rollout=name, candidate=None))

    order = [("first", "deployer"), ("second", "deployer"), ("third", "powerless")]
    answers = await asyncio.gather(*(deliver(*each) for each in order), return_exceptions=True)
    assert isinstance(answers[2], Forbidden)
    flags = json.loads(cluster.at(CONFIG_MAP, "shared")["data"]["flags.json"])["flags"]
    assert sorted(flags) == ["first", "second"]


class TestWhereAnAccountIsRequired:
    async def test_a_rollout_without_one_is_stalled_and_nothing_is_written_for_it(self) -> None:
        house = House(account_required=True)
        await at_rest(house, account=None)
        stalled = condition(house, "Stalled")
        assert stalled["reason"] == REQUIRED
        assert "name there a ServiceAccount of namespace 'ai'" in stalled["message"]
        assert house.status["phase"] == Phase.INVALID
        assert (CONFIG_MAP, "ai", "reply-flags") not in house.cluster.objects
        house.put(ROLLOUT, documents.rollout("v1", serviceAccountName="deployer"))
        await house.look(1)
        assert house.status["phase"] == Phase.IDLE
        assert written_by(house) == {"reply-flags"}

    async def test_the_kill_switch_of_a_rollout_that_never_had_one_writes_nothing(self) -> None:
        house = House(account_required=True)
        await at_rest(house, account=None)
        house.put(ROLLOUT, documents.rollout("v1", killSwitch="Legacy"))
        await house.look(1)
        assert (CONFIG_MAP, "ai", "reply-flags") not in house.cluster.objects

    async def test_no_job_is_made_for_one_without(self) -> None:
        house = await self._switched_on()
        view = house.store.rollouts.get(REPLY)
        assert view is not None
        with pytest.raises(Refused, match="serviceAccountName is missing"):
            await house.speaking.for_more(view)

    async def test_a_router_that_was_not_written_before_is_not_written(self) -> None:
        house = House()
        await at_rest(house, account=None)
        after = House(account_required=True)
        after.take_over(house)
        document = documents.rollout("v1", killSwitch="Legacy")
        document["spec"]["delivery"] = [documents.flag_delivery("another")]
        after.put(ROLLOUT, document)
        await after.look(1)
        await after.look(60)
        assert (CONFIG_MAP, "ai", "another-flags") not in after.cluster.objects

    async def test_an_attempt_in_flight_when_it_is_switched_on_is_held(self) -> None:
        house = await self._switched_on()
        for _ in range(5):
            await house.look(60)
        assert house.status["weight"] == 10
        assert house.status["phase"] == Phase.HOLDING
        assert condition(house, "Stalled")["reason"] == REQUIRED

    @pytest.mark.parametrize("why", ["breach", "abort", "kill", "back"])
    async def test_its_way_back_waits_for_nobody(self, why: str) -> None:
        house = await self._switched_on()
        await house.look(1)
        match why:
            case "breach":
                house.sources.values["v2"] = 9
            case "abort":
                document = documents.rollout("v2", steps=HELD[:1] + HELD[1:])
                document["metadata"]["annotations"] = {"headgate.dev/abort": "1"}
                house.put(ROLLOUT, document)
            case "kill":
                house.put(ROLLOUT, documents.rollout("v2", killSwitch="Stable"))
            case _:
                house.put(ROLLOUT, documents.rollout("v1"))
        await house.look(2)
        assert shown(house) == 0
        assert '"v2"' not in house.flags()

    async def test_a_name_that_is_taken_out_in_mid_attempt_gives_nobody_headgates_own_rights(self) -> None:
        house = House(account_required=True)
        await at_ten(house, steps=HELD)
        house.cluster.by_account.clear()
        forbids(house, DEPLOYER)
        house.put(ROLLOUT, documents.rollout("v1", steps=HELD))
        await house.look(1)
        assert shown(house) == 10
        assert ("forbidden", "ConfigMap", "reply-flags") in house.cluster.requests

    async def test_marks_that_a_tenant_forged_make_headgate_write_nothing_that_they_may_not(self) -> None:
        """Whoever may write HTTPRoutes and Rollouts, and no ConfigMap, writes into a route what headgate would."""
        elsewhere = House()
        await routed(elsewhere, "v1")
        marked = elsewhere.cluster.at(HTTP_ROUTE, "reply")
        marks = marked["metadata"]["annotations"]
        marks["headgate.dev/reply"] = marks["headgate.dev/reply"].replace('"v1"', '"of their choice"')
        house = House(account_required=True)
        await routed(house, "v1", marked)
        await house.look(60)
        assert condition(house, "Stalled")["reason"] == REQUIRED
        assert {name for _, _, name in house.cluster.writes} & {"reply-blue", "reply-green"} == set()

    async def test_an_attempt_of_its_own_is_taken_back_whole(self) -> None:
        before = House()
        await routed(before, "v1")
        await routed(before, "v2")
        assert before.cluster.at(CONFIG_MAP, "reply-green")["data"]["version"] == "v2"
        house = House(account_required=True)
        house.time = before.time
        house.take_over(before)
        house.annotate(abort="1")
        await house.look(1)
        await house.look(1)
        assert house.status["phase"] == Phase.INVALID
        assert house.status["attempt"]["outcome"] == "RolledBack"
        assert house.cluster.at(CONFIG_MAP, "reply-green")["data"]["version"] == "v1"

    @staticmethod
    async def _switched_on() -> House:
        """v2 is at 10 % by an operator that did not ask for accounts; the next one does."""
        before = House()
        await at_ten(before, account=None)
        house = House(account_required=True)
        house.time = before.time
        house.take_over(before)
        await house.look(1)
        assert house.status["weight"] == 10
        return house
