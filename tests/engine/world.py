"""A cluster in miniature for the engine's tests: a clock that is driven, routers that show what was written, no I/O.

It carries decisions out in the order that the controller does, and can be made to crash between any two of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from headgate.api.quality_gate import QualityGateSpec
from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import Phase, RolloutStatus
from headgate.engine.decide import decide
from headgate.engine.decision import Decision, Notice, SpecRestore
from headgate.engine.desired import desired
from headgate.engine.evidence import Arm, Look, MeasureKey, Question, Reading, ReadingKind
from headgate.engine.hooks import DueHook, HookResult
from headgate.engine.observation import GateView, Memory, Observation, RolloutView, TargetView, VersionView
from headgate.engine.plan import Plan, Record
from headgate.engine.routing import ArmVersion, Payload, RouterState, Routing, router_id

START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)

Answer: TypeAlias = Callable[[Question], Reading]


STUCK = timedelta(seconds=15)


class Crash(Exception):
    """The operator died here."""


def value(number: float, samples: float | None = 1000) -> Reading:
    """A healthy answer."""
    return Reading(ReadingKind.VALUE, number, samples)


NO_DATA = Reading(ReadingKind.NO_DATA, message="the answer is empty")
ERROR = Reading(ReadingKind.ERROR, message="the source cannot be reached")


def spec(version: str, **changes: object) -> RolloutSpec:
    """Example 01's spec, in short steps."""
    fields: dict[str, object] = {
        "prompt": {"family": "reply", "version": version},
        "delivery": [{"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}}],
        "gates": [{"name": "quality", "args": {"app": "reply"}}],
        "steps": [
            {"weight": 10, "holdFor": "1m"},
            {"weight": 25, "holdFor": "1m"},
            {"weight": 50, "holdFor": "1m"},
            {"weight": 100},
        ],
        "bakeFor": "5m",
    }
    return RolloutSpec.model_validate(fields | changes)


def gate(**changes: object) -> QualityGateSpec:
    """A gate with one ratio check: warns above 2 %, rolls back above 5 %."""
    check: dict[str, object] = {
        "name": "errors",
        "ratio": {"bad": "bad", "total": "total"},
        "minSamples": 50,
        "warning": {"above": "2%"},
        "critical": {"above": "5%"},
    }
    return QualityGateSpec.model_validate(
        {"period": "15s", "parameters": [{"name": "app"}], "checks": [check | changes]}
    )


@dataclass
class World:
    """One Rollout and all that it meets."""

    spec: RolloutSpec
    now: datetime = START
    status: RolloutStatus = field(default_factory=RolloutStatus)
    annotations: dict[str, str] = field(default_factory=dict)
    uid: str = "uid-1"
    generation: int = 1
    resource_version: int = 1
    versions: dict[str, VersionView] = field(default_factory=dict)
    gates: dict[str, GateView] = field(default_factory=dict)
    manifests: dict[str, Plan] = field(default_factory=dict)
    record: Record | None = None
    shown: dict[str, Routing] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    answer: Answer = lambda question: value(0.0)
    notices: list[Notice] = field(default_factory=list)
    commits: list[RolloutStatus] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    due: datetime | None = None
    delivers: bool = True
    asked: int = 0
    crash_at: int | None = None
    claimed_by: dict[str, str] = field(default_factory=dict)
    restores: int = 0
    foreign_after_restore: str | None = None
    deleting: bool = False
    keeper: str | None = None
    absent: bool = False
    problem: str | None = None
    """Why the routers cannot be written, where a person must mend them."""
    effects: int = 0
    look: Look | None = None
    before_commit: Callable[["World"], None] | None = None
    """Somebody else, once, between the decision and its commit: what it writes makes the commit a conflict."""
    broken: set[str] = field(default_factory=set)
    """Routers that cannot be written until a person mends them."""
    commits_fail: int = 0
    """How many of the next commits the API server does not answer."""
    failures: int = 0
    unfinished: Decision | None = None
    unfinished_at: int = 0
    spec_is_readable: bool = True
    names_stable: bool = True
    """Whether routers tell which version is stable."""
    measurement_takes: timedelta = timedelta()
    hooks: tuple[DueHook, ...] = ()
    """What must be running beside the looks."""
    hook_results: dict[tuple[int, str], HookResult] = field(default_factory=dict)
    hook_problems: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("v7", "v8", "v9"):
            self.add_version(name)
        self.gates.setdefault("quality", GateView("quality", gate()))

    def add_version(self, name: str, digest: str | None = None, family: str = "reply") -> None:
        """Applies a PromptVersion."""
        payload = Payload(f"{name}-compiled", "openai/gpt-4.1", 42, "0")
        self.versions[name] = VersionView(name, f"uid-{name}", family, digest or f"sha256:{name}", payload, ready=True)

    def release(self, version: str, **changes: object) -> None:
        """Edits the spec."""
        written = self.spec.model_dump(by_alias=True, exclude_unset=True)
        written["prompt"] = {"family": "reply", "version": version}
        self.edit(RolloutSpec.model_validate(written | changes))

    def edit(self, changed: RolloutSpec) -> None:
        """Replaces the spec."""
        self.spec = changed
        self.generation += 1
        self.resource_version += 1

    def annotate(self, name: str, text: str) -> None:
        """Writes an annotation."""
        self.annotations[f"headgate.dev/{name}"] = text
        self.resource_version += 1

    @property
    def view(self) -> RolloutView:
        """The Rollout as the API server has it."""
        return RolloutView(
            namespace="ai",
            name="reply",
            uid=self.uid,
            resource_version=str(self.resource_version),
            generation=self.generation,
            created_at=START,
            annotations=dict(self.annotations),
            spec=self.spec if self.spec_is_readable else None,
            status=self.status,
            deleting=self.deleting,
            keeper=self.keeper,
        )

    def phase(self) -> Phase | None:
        """The phase that people see."""
        return self.status.phase

    @property
    def plan(self) -> Plan | None:
        """The manifest that the status names."""
        attempt = self.status.attempt
        return self.manifests.get(attempt.manifest) if attempt is not None and attempt.manifest else None

    def observe(self, look: Look | None = None, *, fresh: bool = False) -> Observation:
        """What the controller would show to decide()."""
        target, versions = self.target(), self.versions_seen()
        routing, routes = desired(self.view, self.plan, versions)
        states: dict[str, RouterState] = {}
        if routing is None:
            routes = ()
        for delivery in routes:
            router = router_id(delivery)
            state = state_of(router, self.shown.get(router), routing, absent=self.absent)
            state = state if self.problem is None else replace(state, matches=False, problem=self.problem)
            states[router] = state if self.names_stable else replace(state, stable=None)
        return Observation(
            rollout=self.view,
            versions=versions,
            gates=self.gates,
            target=target,
            plan=self.plan,
            record=self.record if fresh else None,
            fresh=fresh,
            routers=states,
            look=look,
            claimed_by=self.claimed_by,
            hook_results=dict(self.hook_results),
            hook_problems=self.hook_problems,
            memory=self.memory,
        )

    def target(self) -> TargetView | None:
        """The object that is released; there is none where prompts are."""
        return None

    def versions_seen(self) -> dict[str, VersionView]:
        """The versions that exist."""
        return self.versions

    def settle(self) -> None:
        """Looks until nothing more happens at this moment."""
        for _ in range(60):
            if not self._look():
                return
        raise AssertionError(f"it does not come to rest: {self.status}")

    def run(self, duration: timedelta, *, until: Callable[["World"], bool] | None = None) -> bool:
        """Lets time pass from due moment to due moment. True when ``until`` came true."""
        end = self.now + duration
        self.settle()
        while until is None or not until(self):
            if self.due is None or self.due > end:
                self.now = end
                self.settle()
                return until is not None and until(self)
            self.now = max(self.now, self.due)
            self.settle()
        return True

    def restart(self) -> None:
        """The operator was killed and started again: its memory is gone."""
        self.memory, self.look, self.failures, self.unfinished = Memory(), None, 0, None
        self.hooks, self.hook_results = (), {}

    def memory_of_gate(self, gate: str, measured: datetime | None) -> None:
        """When that gate was last measured, as far as is remembered."""
        kept = {name: at for name, at in self.memory.measured.items() if name != gate}
        self.memory = replace(self.memory, measured=kept | ({gate: measured} if measured else {}))

    def exposed(self) -> set[str]:
        """Digests that somebody is served right now."""
        served: set[str] = set()
        for routing in self.shown.values():
            if routing.weight < 100 or routing.candidate is None:
                served.add(routing.stable.digest)
            if routing.candidate is not None and routing.weight > 0:
                served.add(routing.candidate.digest)
        return served

    def _look(self) -> bool:
        """One round of the controller's look; whether another one follows at once."""
        seen = self.view
        if self.unfinished is not None and self.unfinished_at == self.resource_version:
            decision = self.unfinished
        else:
            self.unfinished = None
            decision = decide(self.observe(self.look), self.now)
            if decision.reread:
                decision = decide(self.observe(self.look, fresh=True), self.now)
            assert not decision.reread, "it asks to read anew for ever"
            self.memory = decision.memory
        self._keep_up(decision)
        self.due = decision.due
        if _is_quiet(decision):
            return self._measure(decision)
        return self._carry_out(decision, seen)

    def _keep_up(self, decision: Decision) -> None:
        self.hooks = decision.hooks
        due = {(hook.attempt, hook.name) for hook in decision.hooks}
        self.hook_results = {which: result for which, result in self.hook_results.items() if which in due}

    def _measure(self, decision: Decision) -> bool:
        had, self.look = self.look, None
        if decision.questions and had is None:
            self.asked += 1
            readings = {question.key: self.answer(question) for question in decision.questions}
            self.look = Look(self.now, readings)
            self.now += self.measurement_takes
        return bool(decision.questions)

    def _carry_out(self, decision: Decision, seen: RolloutView) -> bool:
        if decision.record is not None and not decision.urgent:
            self._keep(decision)
        if decision.manifest is not None:
            self._effect()
            self.manifests.setdefault(decision.manifest.name, decision.manifest)
        if decision.commit and not self._commit(decision):
            return self._overtaken(decision, seen)
        self.failures, self.unfinished = 0, None
        self.notices.extend(decision.notices)
        stuck = not self._deliver(decision)
        if decision.record is not None and decision.urgent:
            self._keep(decision)
        if decision.restore is not None:
            self._carry_out_restore(decision.restore)
        self.look = None
        if stuck and not decision.commit:
            self.due = min(decision.due or self.now + STUCK, self.now + STUCK)
            return False
        return True

    def _commit(self, decision: Decision) -> bool:
        meddler, self.before_commit = self.before_commit, None
        version = self.resource_version
        if meddler is not None:
            meddler(self)
        if self.resource_version != version:
            return False
        if self.commits_fail:
            self.commits_fail -= 1
            self.failures += 1
            return False
        self._effect()
        assert decision.status.revision >= self.status.revision, "the revision fell"
        self.status = RolloutStatus.model_validate(decision.status.model_dump(mode="json", by_alias=True))
        self.commits.append(self.status)
        self.resource_version += 1
        return True

    def _overtaken(self, decision: Decision, seen: RolloutView) -> bool:
        """After a conflict it decides again at once, on the same evidence; after a failure in a moment."""
        if not self.failures or self.view != seen:
            return True
        if decision.urgent and self.failures >= 2:
            self._deliver(decision)
        if decision.urgent:
            self.unfinished, self.unfinished_at = decision, self.resource_version
        self.due = self.now + timedelta(milliseconds=100 * 2**self.failures)
        return False

    def _deliver(self, decision: Decision) -> bool:
        for router in sorted(decision.deliver):
            if decision.routing is not None and self.delivers and router not in self.broken:
                self._effect()
                self._write(router, decision.routing)
        return not decision.deliver or (self.delivers and not decision.deliver & self.broken)

    def _carry_out_restore(self, restore: SpecRestore) -> None:
        self._effect()
        self.restores += 1
        self._restore(restore)
        if self.foreign_after_restore is not None:
            self.release(self.foreign_after_restore)

    def _restore(self, restore: SpecRestore) -> None:
        if self.spec.prompt is not None and self.spec.prompt.version == restore.rejected:
            family = restore.family.restored if restore.family is not None else self.spec.prompt.family
            self.release(restore.restored, prompt={"family": family, "version": restore.restored})
        self.memory = replace(self.memory, restored=restore.attempt)

    def _keep(self, decision: Decision) -> None:
        self._effect()
        self.record = decision.record
        self.memory = replace(self.memory, recorded=decision.status.revision)

    def _write(self, router: str, routing: Routing) -> None:
        known = self.shown.get(router)
        assert known is None or known.revision <= routing.revision, "a router with a higher revision was overwritten"
        self.shown[router] = routing
        self.weights.append(routing.weight)

    def _effect(self) -> None:
        self.effects += 1
        if self.crash_at is not None and self.effects == self.crash_at:
            raise Crash


def state_of(router: str, shown: Routing | None, asked: Routing | None, *, absent: bool = False) -> RouterState:
    """How a router that shows ``shown`` looks to somebody who asks for ``asked``."""
    if shown is None:
        return RouterState(router, matches=False, absent=absent)

    def content(routing: Routing) -> Routing:
        return replace(routing, revision=0, attempt=0, uid="")

    exposed = {shown.candidate.digest} if shown.candidate is not None and shown.weight > 0 else set()
    if shown.weight < 100:
        exposed.add(shown.stable.digest)
    return RouterState(
        router,
        matches=asked is not None and content(shown) == content(asked) and _stands(shown.revision, asked),
        weight=shown.weight,
        shadow=shown.shadow,
        revision=shown.revision,
        stable=ArmVersion(shown.stable.version, shown.stable.digest),
        stable_slot=shown.stable_slot,
        exposed=frozenset(exposed),
    )


def prompted(world: World) -> str:
    """The version that the spec names."""
    assert world.spec.prompt is not None
    return world.spec.prompt.version


def _stands(carried: int, asked: Routing) -> bool:
    """As the routers see it: a way back must leave its revision wherever a late writer's could lie in between."""
    return carried <= asked.revision and (bool(asked.weight or asked.shadow) or asked.revision - carried <= 1)


def _is_quiet(decision: Decision) -> bool:
    writes = decision.commit or decision.deliver or decision.record or decision.restore or decision.manifest
    return not (writes or decision.notices)


def arms(questions: list[Question]) -> set[tuple[str, Arm]]:
    """Which checks were asked for which arm."""
    return {(question.check.name, question.subject.arm) for question in questions}


def key(check: str, arm: Arm, digest: str) -> MeasureKey:
    """Names a measurement of the gate of these tests."""
    return MeasureKey("quality", check, arm, digest)
