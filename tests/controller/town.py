"""What random histories have in common: two names that come again, and who may be exposed when all is at rest."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from headgate.api.rollout import KillSwitch
from headgate.api.rollout_status import AttemptState
from headgate.cli.act.abort import abort, retry
from headgate.cli.act.change import Change
from headgate.cli.act.kill import kill
from headgate.cli.act.pause import pause, resume
from headgate.cli.failures import CommandError
from headgate.cluster.objects import CONFIG_MAP, ROLLOUT
from headgate.controller.marked import carriers
from headgate.delivery.claims import Claim, claims
from headgate.engine.observation import Key, RolloutView
from tests.controller.house import House
from tests.controller.place import Place

BOTH = ("old", "reply")
NAMES = st.sampled_from(BOTH)
VERSIONS = st.sampled_from(["v1", "v2", "v3"])
FLIGHT = (AttemptState.STEPPING, AttemptState.BAKING)
SETTINGS = settings(max_examples=150, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
COMMANDS: dict[str, Callable[[RolloutView], Change]] = {
    "abort": abort,
    "kill": lambda view: kill(view, KillSwitch.STABLE),
    "kill --to Legacy": lambda view: kill(view, KillSwitch.LEGACY),
    "kill --to Off": lambda view: kill(view, KillSwitch.OFF),
    "pause": pause,
    "resume": resume,
    "retry": lambda view: retry(view, None),
}
T = TypeVar("T")


class Town(RuleBasedStateMachine):
    """Two names in one namespace, and an operator that may die, be refused or learn of things late."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._born: dict[str, str] = {}
        self.births = 0
        self.asked: dict[str, dict[str, Any]] = {}
        self.place = self.wait(Place().begin())
        self._before: House | None = None

    def document(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The Rollout that asks for that."""
        raise NotImplementedError

    def wait(self, coming: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(coming)

    @property
    def house(self) -> House:
        return self.place.house

    def exists(self, name: str) -> bool:
        return (ROLLOUT, "ai", name) in self.house.cluster.objects

    def view(self, name: str) -> RolloutView:
        """As the operator knows it."""
        found = self.house.store.rollouts.get(Key("ai", name))
        assert found is not None
        return found

    def look(self, *seconds: int) -> None:
        for each in seconds:
            self.wait(self.place.looks("old", each))
            self.wait(self.place.looks("reply", 0))

    def is_begun(self, name: str, **asked: object) -> None:
        self.births += 1
        self._born[name] = f"2026-11-21T09:00:{self.births:02}Z"
        self.asked[name] = {"killSwitch": "Off", **asked}
        self.apply(name)

    def apply(self, name: str, **changes: object) -> None:
        self.asked[name] |= changes
        self.place.put(self.document(name, self.asked[name]), self._born[name])

    def applied(self, name: str, begins: dict[str, object], **changes: object) -> None:
        """Somebody applies what is there with changes, and what is not as it begins."""
        if self.exists(name):
            self.apply(name, **changes)
        else:
            self.is_begun(name, **begins)

    def made_again(self, name: str, *, restart: bool, **asked: object) -> None:
        """No watch tells of it; maybe since no operator runs."""
        if self.exists(name):
            self.place.is_deleted_unseen(ROLLOUT, name, restart=restart)
            self.is_begun(name, **asked)
            if restart:
                self.wait(self.place.resync())

    def restarts(self) -> None:
        """Another operator has the lists, and puts at stable what nobody answers for."""
        self._before = self.house
        self.place.restart()
        self.wait(self.place.resync())

    @rule(name=NAMES, told=st.booleans())
    def the_operator_before_wakes_once_more(self, name: str, *, told: bool) -> None:
        """It was stopped, and knows nothing of what has happened since."""
        if self._before is not None:
            self._before.time = self.house.time
            self.wait(self._before.look(0, name))
            if told:
                self.the_watch_tells_all()

    @rule(name=NAMES, version=VERSIONS)
    def somebody_releases(self, name: str, version: str) -> None:
        if self.exists(name):
            self.apply(name, version=version)
            self.look(1)

    @rule(name=NAMES, to=st.sampled_from(["Off", "Off", "Stable", "Legacy"]))
    def somebody_turns_the_kill_switch(self, name: str, to: str) -> None:
        if self.exists(name):
            self.apply(name, killSwitch=to)

    @rule(name=NAMES, word=st.sampled_from(["abort", "promote", "retry"]))
    def somebody_asks(self, name: str, word: str) -> None:
        if self.exists(name):
            attempts = self.house.cluster.at(ROLLOUT, name).get("status", {}).get("attempts", 0)
            self.place.ask(name, **{word: str(attempts)})

    @rule(name=NAMES, command=st.sampled_from(sorted(COMMANDS)))
    def somebody_uses_a_command(self, name: str, command: str) -> None:
        """With nothing else in the way it is done soon, or a condition says why it is not."""
        if not self.exists(name):
            return
        self.all_can_be_written()
        self.the_watch_tells_all()
        try:
            change = COMMANDS[command](self.view(name))
        except CommandError:
            return
        self._write(name, change)
        self.look(1, 11, 31, 31)
        later = self.view(name)
        said = [(each.type, each.status.value) for each in later.status.conditions]
        assert change.is_done(later) or ("Stalled", "True") in said or ("Delivered", "False") in said, change.says

    @rule(name=NAMES)
    def somebody_deletes_one(self, name: str) -> None:
        if self.exists(name):
            self.house.delete(name)

    @rule(name=NAMES)
    def one_is_deleted_while_no_operator_runs(self, name: str) -> None:
        if self.exists(name):
            self.place.is_deleted_unseen(ROLLOUT, name)
            self.restarts()

    @rule(name=NAMES)
    def a_manifest_is_lost(self, name: str) -> None:
        status = self.house.cluster.at(ROLLOUT, name).get("status", {}) if self.exists(name) else {}
        manifest = status.get("attempt", {}).get("manifest")
        if (CONFIG_MAP, "ai", manifest) in self.house.cluster.objects:
            self.place.is_deleted_unseen(CONFIG_MAP, manifest)

    @rule()
    def all_can_be_written(self) -> None:
        self.house.cluster.fault = lambda _kind, _subresource: None
        self.house.cluster.forbidden = lambda _account, _kind: None

    @rule(seconds=st.sampled_from([1, 1, 11, 31, 61]))
    def time_passes(self, seconds: int) -> None:
        self.look(seconds)

    @rule()
    def the_operator_restarts(self) -> None:
        self.restarts()

    @rule()
    def all_is_listed_again(self) -> None:
        self.wait(self.place.resync())

    @rule()
    def the_watch_tells_all(self) -> None:
        """What was missed until now is missed no more."""
        for (kind, _, _), raw in list(self.house.cluster.objects.items()):
            self.house.tell(kind, raw)

    def teardown(self) -> None:
        """Once all can be written and is listed again, whoever exposes does so for a Rollout that is trying that."""
        try:
            self.all_can_be_written()
            self.the_watch_tells_all()
            self.look(1, 31, 61)
            self.all_is_listed_again()
            self.look(1, 31, 61, 61, 301, 301)
            before = len(self.house.cluster.writes)
            self.look(301)
            wrong = [str(write) for write in self.house.cluster.writes[before:]]
            wrong += [wrong for claim in self._exposing() for wrong in self._exposed(claim)]
            wrong += [wrong for name in filter(self.exists, BOTH) for wrong in self.untrue(name)]
            wrong = wrong or [wrong for name in filter(self.exists, BOTH) for wrong in self._followed(name)]
            assert wrong == [], "\n".join(wrong)
        finally:
            self._loop.close()

    def untrue(self, name: str) -> Iterator[str]:
        """What is wrong about a status, now that all is at rest."""
        status = self.place.status(name)
        if status.get("attempt", {}).get("state") == AttemptState.ROLLING_BACK:
            yield f"{name} is on its way back still: {status['conditions']}"
        if status.get("stable", {}).get("digest") in {each["digest"] for each in status.get("rejected", ())}:
            yield f"{name} has a rejected version as stable"

    def _followed(self, name: str) -> Iterator[str]:
        """Does what the conditions tell a person to do; what is said still then was no way out."""
        said, view = {each["type"]: each["message"] for each in self.place.status(name)["conditions"]}, self.view(name)
        retried = re.search(rf"headgate retry {name} --attempt (\d+)$", said["Stalled"])
        if retried is not None and view.orders.kill_switch is KillSwitch.OFF:
            self._write(name, retry(view, int(retried[1])))
        elif f"headgate resume {name} " in said["Paused"]:
            self._write(name, resume(view))
        else:
            return
        self.look(1, 1, 1)
        now = {each["type"]: each["message"] for each in self.place.status(name)["conditions"]}
        yield from (
            f"{name} was told in vain: {said[kind]}"
            for kind in ("Stalled", "Paused")
            if said[kind] == now[kind] and "headgate re" in now[kind]
        )

    def _write(self, name: str, change: Change) -> None:
        raw = self.house.cluster.at(ROLLOUT, name)
        if change.annotation is not None:
            raw["metadata"].setdefault("annotations", {})[change.annotation[0]] = change.annotation[1]
        for field, value in change.spec.items():
            raw["spec"][field] = {**raw["spec"][field], **value} if isinstance(value, dict) else value
        raw["spec"] = {field: value for field, value in raw["spec"].items() if value is not None}
        self.house.tell(ROLLOUT, self.house.cluster.put(ROLLOUT, raw))
        prompt = raw["spec"].get("prompt", {})
        self.asked[name] |= {"killSwitch": raw["spec"]["killSwitch"], "paused": raw["spec"].get("paused", False)}
        self.asked[name] |= {"version": prompt["version"]} if prompt else {}

    def _exposing(self) -> Iterator[Claim]:
        kinds = carriers(self.house.store)
        for (kind, _, _), raw in self.house.cluster.objects.items():
            if kind in kinds:
                yield from (claim for claim in claims(kind, raw) if claim.exposing)

    def _exposed(self, claim: Claim) -> Iterator[str]:
        if not self.exists(claim.rollout):
            yield f"{claim.router} exposes for {claim.rollout}, which is gone"
            return
        raw = self.house.cluster.at(ROLLOUT, claim.rollout)
        attempt, rejected = raw["status"].get("attempt", {}), raw["status"].get("rejected", ())
        if raw["metadata"]["uid"] != claim.uid:
            yield f"{claim.router} exposes for an earlier {claim.rollout}"
        if attempt.get("state") not in FLIGHT or claim.tried != {attempt["candidate"]["digest"]}:
            yield f"{claim.router} exposes what {claim.rollout} does not try"
        if claim.tried & {each["digest"] for each in rejected}:
            yield f"{claim.router} exposes what {claim.rollout} has rejected"
        if self.asked[claim.rollout]["killSwitch"] != "Off":
            yield f"{claim.router} exposes under the kill switch of {claim.rollout}"
