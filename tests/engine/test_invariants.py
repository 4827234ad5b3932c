"""I1-I5 and I9 of the design over random histories: time, evidence, people, GitOps, crashes, drift and lost status."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headgate.api.quality_gate import QualityGateSpec
from headgate.api.quantities import seconds
from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import Attempt, AttemptState, Phase, RolloutStatus, VerdictKind
from headgate.engine.evidence import Question, Reading
from headgate.engine.observation import GateView
from headgate.engine.routing import ArmVersion
from tests.engine.world import ERROR, NO_DATA, Crash, World, gate, spec, value

STEPS = [
    {"name": "dark", "shadow": "100%", "holdFor": "20s"},
    {"weight": 10, "holdFor": "1m"},
    {"name": "half", "weight": 50, "holdFor": "30s", "approval": "Required", "gates": [{"name": "slow"}]},
    {"name": "half-again", "weight": 50},
    {"weight": 100},
]
ROUTERS = [
    {"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "flags"}}},
    {"flag": {"name": "reply", "key": "companyId", "configMap": {"name": "others"}}},
]
SLOW = QualityGateSpec.model_validate(
    {"period": "40s", "checks": [{"name": "latency", "query": "latency", "critical": {"above": "2"}}]}
)
ANSWERS: dict[str, Reading] = {
    "good": value(0.0),
    "warn": value(0.03),
    "bad": value(9.0),
    "few": value(0.5, samples=3),
    "empty": NO_DATA,
    "error": ERROR,
}
SILENT = ["empty", "error"]
FLIGHT = (AttemptState.VERIFYING, AttemptState.STEPPING, AttemptState.BAKING)


class Histories(RuleBasedStateMachine):
    """One Rollout with two routers and two gates through anything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(spec("v7", steps=STEPS, bakeFor="1m", delivery=ROUTERS, progressDeadline="10m"))
        self.gates_are(ready=True)
        self.world.settle()
        self.checked, self.before = 0, RolloutStatus()
        self.says = {"quality": "good", "slow": "good"}
        self.world.answer = self.answer

    def answer(self, question: Question) -> Reading:
        return ANSWERS[self.says[question.gate]]

    def gates_are(self, *, ready: bool) -> None:
        views = {"quality": GateView("quality", gate()), "slow": GateView("slow", SLOW)}
        self.world.gates = views if ready else {}

    @initialize(weight=st.sampled_from([0, 0, 10, 50]))
    def an_attempt_may_go_on_already(self, weight: int) -> None:
        if weight:
            self.world.release("v8")
            self.world.annotate("approve", "1/half")
            assert self.world.run(timedelta(minutes=10), until=lambda world: world.status.weight == weight)

    def begin_anew(self) -> None:
        """What is committed from here on follows from another status than the last one."""
        self.before, self.checked = self.world.status, len(self.world.commits)

    # what may happen

    @rule(seconds=st.sampled_from([1, 10, 31, 61, 300, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.run(timedelta(seconds=seconds))

    @rule(seconds=st.sampled_from([5, 300, 90_000]))
    def the_clock_is_put_back(self, seconds: int) -> None:
        self.world.now -= timedelta(seconds=seconds)

    @rule(seconds=st.sampled_from([61, 300]), after=st.integers(1, 12))
    def the_operator_dies_in_between(self, seconds: int, after: int) -> None:
        self.world.crash_at = self.world.effects + after
        try:
            self.world.run(timedelta(seconds=seconds))
        except Crash:
            self.world.restart()
        self.world.crash_at = None

    @rule()
    def the_operator_restarts(self) -> None:
        self.world.restart()

    @rule(fails=st.integers(1, 4))
    def commits_are_not_answered(self, fails: int) -> None:
        self.world.commits_fail = fails

    @rule(name=st.sampled_from(["quality", "slow"]), says=st.sampled_from(sorted(ANSWERS)))
    def the_evidence_changes(self, name: str, says: str) -> None:
        self.says[name] = says

    @rule(version=st.sampled_from(["v7", "v8", "v9", "unknown"]))
    def somebody_applies(self, version: str) -> None:
        self.world.release(version)

    @rule(
        paused=st.booleans(),
        kill=st.sampled_from(["Off", "Off", "Stable", "Legacy"]),
        routers=st.sampled_from([1, 2, 2]),
        steps=st.sampled_from([STEPS, STEPS, [{"weight": 100}]]),
    )
    def somebody_edits(self, paused: bool, kill: str, routers: int, steps: list[object]) -> None:
        self.i1_and_i2_and_i9_weights_follow_steps_that_passed()  # what was committed before was not paused by this
        edits = {"paused": paused, "killSwitch": kill, "delivery": ROUTERS[:routers], "steps": steps}
        written = self.world.spec.model_dump(by_alias=True, exclude_unset=True)
        self.world.edit(RolloutSpec.model_validate(written | edits))

    @rule(what=st.sampled_from(["v7", "v9", "abort", "pause", "label", "well", "status"]))
    def somebody_writes_just_before_the_next_commit(self, what: str) -> None:
        """Between a decision and its commit, which is so a conflict."""

        def meddle(world: World) -> None:
            match what:
                case "v7" | "v9":
                    world.release(what)
                case "abort":
                    world.annotate("abort", str(world.status.attempts))
                case "pause":
                    written = world.spec.model_dump(by_alias=True, exclude_unset=True)
                    world.edit(RolloutSpec.model_validate(written | {"paused": True}))
                case "well":
                    self.says = {"quality": "good", "slow": "good"}
                case "status":
                    world.status = world.status.model_copy(update={"observed_generation": 0})
                case _:
                    pass
            world.resource_version += 1

        self.world.before_commit = meddle

    @rule(
        name=st.sampled_from(["approve", "approve", "abort", "resume", "retry", "promote"]),
        ago=st.sampled_from([0, 0, 0, 1, -1]),
        bake=st.booleans(),
    )
    def somebody_annotates(self, name: str, ago: int, bake: bool) -> None:
        number = self.world.status.attempts - ago
        step = {"approve": "/half", "promote": "/bake" if bake else ""}.get(name, "")
        self.world.annotate(name, f"{number}{step}")

    @rule(ready=st.booleans())
    def the_gates_come_and_go(self, ready: bool) -> None:
        self.gates_are(ready=ready)

    @rule(version=st.sampled_from(["v7", "v8", "v9"]), exists=st.booleans())
    def a_version_comes_and_goes(self, version: str, exists: bool) -> None:
        if exists:
            self.world.add_version(version)
        else:
            self.world.versions.pop(version, None)

    @rule(broken=st.sampled_from([0, 0, 1, 2]))
    def routers_can_be_written_or_not(self, broken: int) -> None:
        self.world.broken = set(sorted(self.world.shown)[:broken])

    @rule(weight=st.sampled_from([0, 5, 90]), which=st.sampled_from([0, 1]))
    def somebody_writes_a_router(self, weight: int, which: int) -> None:
        for router in sorted(self.world.shown)[which : which + 1]:
            routing = self.world.shown[router]
            if weight == 90:
                self.world.shown[router] = replace(routing, weight=90, candidate=ArmVersion("v8", "sha256:v8"))
            else:
                self.world.shown[router] = replace(routing, weight=min(weight, routing.weight))

    @precondition(lambda self: self.world.record is not None)
    @rule(deleted=st.booleans())
    def the_rollout_is_created_again(self, deleted: bool) -> None:
        self.i1_and_i2_and_i9_weights_follow_steps_that_passed()
        if deleted and not self.world.broken:
            self.world.deleting = True
            self.world.settle()
            self.world.deleting = False
        self.world.status, self.world.uid, self.world.annotations = RolloutStatus(), f"{self.world.uid}'", {}
        self.world.restart()
        self.begin_anew()

    @precondition(lambda self: len(self.world.commits) > 3)
    @rule(back=st.integers(1, 3))
    def an_older_status_is_put_back(self, back: int) -> None:
        self.i1_and_i2_and_i9_weights_follow_steps_that_passed()
        self.world.status = self.world.commits[-1 - back]
        self.world.resource_version += 1
        self.world.restart()
        self.begin_anew()

    # what must hold

    @invariant()
    def i1_and_i2_and_i9_weights_follow_steps_that_passed(self) -> None:
        for commit in self.world.commits[self.checked :]:
            self._check(self.before, commit)
            self.before = commit
        self.checked = len(self.world.commits)

    @invariant()
    def i3_a_rejected_digest_is_exposed_to_nobody(self) -> None:
        if self.world.broken:
            return
        self.world.commits_fail = 0
        self.world.settle()
        if self.world.memory.drift:
            self.world.run(timedelta(minutes=6))
        attempt = self.world.status.attempt
        rejected = {rejection.digest for rejection in self.world.status.rejected}
        assert not rejected & self._exposed(), (rejected, attempt)
        stable = self.world.status.stable
        assert stable is None or stable.digest not in rejected
        recorded = self.world.record.stable if self.world.record is not None else None
        assert recorded is None or recorded.digest not in rejected, "the record has a rejected version as stable"

    @invariant()
    def i4_a_way_back_ends_whatever_is_missing(self) -> None:
        attempt = self.world.status.attempt
        if attempt is None or attempt.state is not AttemptState.ROLLING_BACK or self.world.broken:
            return
        self.world.run(timedelta(minutes=6))
        assert self.world.status.attempt is not None
        assert self.world.status.attempt.state is not AttemptState.ROLLING_BACK or (
            self.world.status.attempt.number != attempt.number
        )

    @invariant()
    def nothing_in_flight_is_forgotten(self) -> None:
        """What waits for nobody has a due time."""
        self.world.settle()
        attempt, world = self.world.status.attempt, self.world
        if attempt is None or world.due is not None:
            return
        if attempt.state is AttemptState.ENDED:
            return
        held = any(drift.righted for drift in world.memory.drift.values())
        waits = attempt.state is AttemptState.VERIFYING and (bool(attempt.reason) or world.spec.paused)
        assert waits or held or world.phase() is Phase.AWAITING_APPROVAL, (attempt, world.phase())

    @invariant()
    def rest_is_rest(self) -> None:
        """With nothing in flight and everything delivered, no time is due and nothing is written."""
        self.world.settle()
        attempt, world = self.world.status.attempt, self.world
        at_rest = attempt is None or attempt.state is AttemptState.ENDED
        if at_rest and not world.broken and not world.memory.drift:
            waits = world.before_commit
            world.run(timedelta(minutes=2))
            if world.before_commit is not waits:
                return  # Somebody wrote meanwhile.
            commits, writes, restores = len(world.commits), len(world.weights), world.restores
            world.run(timedelta(days=3))
            assert (len(world.commits), len(world.weights), world.restores) == (commits, writes, restores)

    def _exposed(self) -> set[str]:
        """Digests that somebody is served by a router that the Rollout still has."""
        attempt, world = self.world.status.attempt, self.world
        frozen = world.plan is not None and attempt is not None and attempt.state is not AttemptState.ENDED
        deliveries = world.plan.delivery if frozen and world.plan is not None else world.spec.delivery
        named = {delivery.flag.config_map.name for delivery in deliveries if delivery.flag and delivery.flag.config_map}
        shown = {router: routing for router, routing in world.shown.items() if router.split("/")[1] in named}
        return replace(world, shown=shown).exposed() if shown else set()

    def _check(self, before: RolloutStatus, after: RolloutStatus) -> None:
        old, new = before.attempt, after.attempt
        if old is None or new is None or new.step is None or old.number != new.number or old.step is None:
            assert new is None or new.step is None or new.step.index == 0, "an attempt began in mid-way"
            return
        if new.state not in (AttemptState.STEPPING, AttemptState.BAKING):
            assert after.weight == 0
            if new.state is AttemptState.ENDED and old.state in FLIGHT and after.stable != before.stable:
                assert not self.world.spec.paused or self._lost(new), "promoted while paused"
                if not self._lost(new):
                    self._check_evidence(before, after)
            return
        assert new.step.index in (old.step.index, old.step.index + 1), "I2: a step was skipped or repeated"
        assert after.weight >= before.weight, "I9: a weight fell without a way back"
        if (new.step.index, new.state) != (old.step.index, old.state):
            assert old.state is AttemptState.STEPPING
            self._check_evidence(before, after)
            if new.step.name == "half" and new.step.index != old.step.index:
                assert new.promoted or any(approval.step == "half" for approval in new.approvals), "not approved"

    def _lost(self, attempt: Attempt) -> bool:
        return "lost" in attempt.reason

    def _check_evidence(self, before: RolloutStatus, after: RolloutStatus) -> None:
        """I1: each gate that the stage needed has a Pass that was measured after its hold."""
        old, new = before.attempt, after.attempt
        assert old is not None
        assert new is not None
        assert old.manifest is not None
        assert old.step is not None
        plan = self.world.manifests[old.manifest]
        baking = old.state is AttemptState.BAKING
        step = None if baking else old.step.index
        began = old.baking_since if baking else (new.step or old.step).delivered_at or old.step.delivered_at
        hold = timedelta(seconds=seconds((plan.bake_for if baking else plan.steps[old.step.index].hold_for) or "0s"))
        for reference in plan.references_in(step):
            for check in plan.gate_specs[reference.name].checks:
                known = [found for found in after.verdicts if (found.gate, found.check) == (reference.name, check.name)]
                if new.promoted is None:
                    assert known, "I1: left without a verdict"
                    assert known[0].verdict in (VerdictKind.PASS, VerdictKind.WARN), "I1: left without a Pass"
                    assert known[0].step == old.step.name, "I1: the Pass was not measured in the step that was left"
                    assert known[0].measured_at is not None
                    assert began is None or known[0].measured_at >= began + hold, "I1: measured before the hold's end"
                else:
                    harm = (VerdictKind.FAIL, VerdictKind.BREACHING)
                    assert not known or known[0].verdict not in harm, "a promote stepped over harm"


class Silences(Histories):
    """I5: evidence that says nothing neither raises a weight nor takes anybody back."""

    def __init__(self) -> None:
        super().__init__()
        self.says = {"quality": "error", "slow": "empty"}

    @initialize(weight=st.just(0))
    def an_attempt_may_go_on_already(self, weight: int) -> None:
        self.world.release("v8")
        self.world.settle()

    @rule(name=st.sampled_from(["quality", "slow"]), says=st.sampled_from(SILENT))
    def the_evidence_changes(self, name: str, says: str) -> None:
        self.says[name] = says

    @rule()
    def somebody_writes_just_before_the_next_commit(self) -> None:
        self.world.before_commit = lambda world: setattr(world, "resource_version", world.resource_version + 1)

    @rule(name=st.sampled_from(["approve", "abort", "resume", "retry"]), ago=st.sampled_from([0, 0, 1]))
    def somebody_annotates(self, name: str, ago: int) -> None:
        number = self.world.status.attempts - ago
        self.world.annotate(name, f"{number}/half" if name == "approve" else str(number))

    @invariant()
    def i5_silence_moves_nothing(self) -> None:
        for commit in self.world.commits:
            one_step = commit.attempt is not None and self._has_one_step(commit.attempt)
            assert commit.weight == 0 or one_step
        for rejection in self.world.status.rejected:
            assert "annotation" in rejection.reason or "killSwitch" in rejection.reason or "lost" in rejection.reason

    def _has_one_step(self, attempt: Attempt) -> bool:
        plan = self.world.manifests.get(attempt.manifest or "")
        return plan is not None and len(plan.steps) == 1


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSilences = Silences.TestCase
TestSilences.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
