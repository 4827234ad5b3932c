"""I3 and the way back over random histories: names that come again, routers that change hands, refused writes."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from headgate.api.rollout_status import AttemptState
from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, ROLLOUT, ClusterError, Kind, Refused, Unavailable
from headgate.controller.marked import carriers
from headgate.delivery.claims import Claim, claims
from tests.controller.test_succession import FLAG, FLAG_ELSEWHERE, OTHER_FLAG, ROUTE, Place

NAMES = st.sampled_from(["old", "reply"])
VERSIONS = st.sampled_from(["v1", "v2", "v3"])
DELIVERIES = st.lists(st.sampled_from(["flag", "other", "elsewhere", "route"]), min_size=1, max_size=2, unique=True)
ROUTERS: dict[str, Mapping[str, object]] = {
    "flag": FLAG,
    "other": OTHER_FLAG,
    "elsewhere": FLAG_ELSEWHERE,
    "route": ROUTE,
}
FLIGHT = (AttemptState.STEPPING, AttemptState.BAKING)
T = TypeVar("T")


class Town(RuleBasedStateMachine):
    """Two names in one namespace, four routers, and an operator that may die, be refused or learn of things late."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._births = 0
        self._born: dict[str, str] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        self.place = self.wait(Place().begin())

    def wait(self, coming: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coming)

    def exists(self, name: str) -> bool:
        return (ROLLOUT, "ai", name) in self.place.house.cluster.objects

    def look(self, *seconds: int) -> None:
        for each in seconds:
            self.wait(self.place.looks("old", each))
            self.wait(self.place.looks("reply", 0))

    def is_begun(self, name: str, version: str, routers: list[str]) -> None:
        self._births += 1
        self._born[name] = f"2026-11-21T09:00:{self._births:02}Z"
        self._asked[name] = {"version": version, "routers": routers, "killSwitch": "Off"}
        self.apply(name)

    def apply(self, name: str, **changes: object) -> None:
        asked = self._asked[name] = self._asked[name] | changes
        deliveries = [ROUTERS[router] for router in asked["routers"]]
        self.place.apply_all(name, asked["version"], deliveries, self._born[name], killSwitch=asked["killSwitch"])

    def restarts(self) -> None:
        """Another operator has the lists, and puts at stable what nobody answers for."""
        self.place.restart()
        self.wait(self.place.resync())

    @initialize(first=VERSIONS, then=VERSIONS, routers=DELIVERIES)
    def a_release_goes_on_already(self, first: str, then: str, routers: list[str]) -> None:
        self.is_begun("old", first, routers)
        self.look(1)
        self.apply("old", version=then)
        self.look(1, 11)

    @rule(name=NAMES, version=VERSIONS, routers=DELIVERIES)
    def somebody_applies_one(self, name: str, version: str, routers: list[str]) -> None:
        if self.exists(name):
            self.apply(name, version=version)
        else:
            self.is_begun(name, version, routers)

    @rule(name=NAMES, version=VERSIONS)
    def somebody_releases(self, name: str, version: str) -> None:
        if self.exists(name):
            self.apply(name, version=version)
            self.look(1)

    @rule(name=NAMES, routers=DELIVERIES)
    def somebody_names_other_routers(self, name: str, routers: list[str]) -> None:
        if self.exists(name):
            self.apply(name, routers=routers)

    @rule(name=NAMES, to=st.sampled_from(["Off", "Off", "Stable", "Legacy"]))
    def somebody_turns_the_kill_switch(self, name: str, to: str) -> None:
        if self.exists(name):
            self.apply(name, killSwitch=to)

    @rule(name=NAMES, word=st.sampled_from(["abort", "promote", "retry"]))
    def somebody_asks(self, name: str, word: str) -> None:
        if self.exists(name):
            attempts = self.place.house.cluster.at(ROLLOUT, name).get("status", {}).get("attempts", 0)
            self.place.ask(name, **{word: str(attempts)})

    @rule(name=NAMES)
    def somebody_deletes_one(self, name: str) -> None:
        if self.exists(name):
            self.place.delete_one(name)

    @rule(name=NAMES)
    def one_is_deleted_while_no_operator_runs(self, name: str) -> None:
        if self.exists(name):
            self.place.is_deleted_unseen(ROLLOUT, name)
            self.restarts()

    @rule(name=NAMES, version=VERSIONS, routers=DELIVERIES, restart=st.booleans())
    def one_is_made_again_unseen(self, name: str, version: str, routers: list[str], *, restart: bool) -> None:
        if self.exists(name):
            self.place.is_deleted_unseen(ROLLOUT, name)
            if restart:
                self.place.restart()
            self.is_begun(name, version, routers)
            if restart:
                self.wait(self.place.resync())

    @rule(name=NAMES)
    def a_manifest_is_lost(self, name: str) -> None:
        status = self.place.house.cluster.at(ROLLOUT, name).get("status", {}) if self.exists(name) else {}
        manifest = status.get("attempt", {}).get("manifest")
        if (CONFIG_MAP, "ai", manifest) in self.place.house.cluster.objects:
            self.place.is_deleted_unseen(CONFIG_MAP, manifest)

    @rule(
        which=st.sampled_from([(CONFIG_MAP, ""), (HTTP_ROUTE, ""), (ROLLOUT, ""), (ROLLOUT, "status")]),
        error=st.sampled_from([Unavailable("a webhook is down"), Refused("a policy")]),
    )
    def something_cannot_be_written(self, which: tuple[Kind, str], error: ClusterError) -> None:
        self.place.house.cluster.fault = lambda kind, subresource: error if (kind, subresource) == which else None

    @rule()
    def all_can_be_written(self) -> None:
        self.place.house.cluster.fault = lambda _kind, _subresource: None

    @rule(seconds=st.sampled_from([1, 1, 11, 31, 61]))
    def time_passes(self, seconds: int) -> None:
        self.look(seconds)

    @rule()
    def the_operator_restarts(self) -> None:
        self.restarts()

    @rule()
    def all_is_listed_again(self) -> None:
        self.wait(self.place.resync())

    def teardown(self) -> None:
        """Once all can be written and is listed again, whoever exposes does so for a Rollout that is trying that."""
        try:
            self.all_can_be_written()
            self.look(1, 31, 61)
            self.all_is_listed_again()
            self.look(1, 31, 61, 61, 301, 301)
            assert [wrong for claim in self._exposing() for wrong in self._wrong(claim)] == []
            for name in filter(self.exists, ("old", "reply")):
                status = self.place.status(name)
                assert status.get("attempt", {}).get("state") != AttemptState.ROLLING_BACK, status["conditions"]
                rejected = {each["digest"] for each in status.get("rejected", ())}
                assert status.get("stable", {}).get("digest") not in rejected
        finally:
            self._loop.close()

    def _exposing(self) -> Iterator[Claim]:
        house = self.place.house
        kinds = carriers(house.store)
        for (kind, _, _), raw in house.cluster.objects.items():
            if kind in kinds:
                yield from (claim for claim in claims(kind, raw) if claim.exposing)

    def _wrong(self, claim: Claim) -> Iterator[str]:
        if not self.exists(claim.rollout):
            yield f"{claim.router} exposes for {claim.rollout}, which is gone"
            return
        raw = self.place.house.cluster.at(ROLLOUT, claim.rollout)
        attempt, rejected = raw["status"].get("attempt", {}), raw["status"].get("rejected", ())
        if raw["metadata"]["uid"] != claim.uid:
            yield f"{claim.router} exposes for an earlier {claim.rollout}"
        if attempt.get("state") not in FLIGHT or claim.tried != {attempt["candidate"]["digest"]}:
            yield f"{claim.router} exposes what {claim.rollout} does not try"
        if claim.tried & {each["digest"] for each in rejected}:
            yield f"{claim.router} exposes what {claim.rollout} has rejected"
        if self._asked[claim.rollout]["killSwitch"] != "Off":
            yield f"{claim.router} exposes under the kill switch of {claim.rollout}"


TestTown = Town.TestCase
TestTown.settings = settings(
    max_examples=150, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
