"""I1-I5 and I9 of the design over random histories: time, evidence, people, GitOps, crashes, drift and lost status."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headgate.api.rollout import RolloutSpec
from headgate.api.rollout_status import AttemptState, RolloutStatus, VerdictKind
from headgate.engine.evidence import Arm, Question, Reading
from headgate.engine.observation import GateView
from headgate.engine.routing import ArmVersion
from tests.engine.world import ERROR, NO_DATA, Crash, World, gate, spec, value

STEPS = [
    {"weight": 10, "holdFor": "1m"},
    {"name": "half", "weight": 50, "holdFor": "30s", "approval": "Required"},
    {"weight": 100},
]
ANSWERS: dict[str, Reading] = {
    "good": value(0.0),
    "warn": value(0.03),
    "bad": value(0.5),
    "few": value(0.5, samples=3),
    "empty": NO_DATA,
    "error": ERROR,
}
SILENT = frozenset({"few", "empty", "error"})
PASSING = frozenset({VerdictKind.PASS, VerdictKind.WARN})


class Histories(RuleBasedStateMachine):
    """One Rollout through anything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(spec("v7", steps=STEPS, bakeFor="1m"))
        self.world.settle()
        self.checked = 0
        self.says = "good"
        self.heard_since_start: set[str] = set()
        self.retried: set[str] = set()
        self.world.answer = self.answer

    def answer(self, question: Question) -> Reading:
        if question.subject.arm is Arm.CANDIDATE:
            self.heard_since_start.add(self.says)
        return ANSWERS[self.says]

    # what may happen

    @rule(seconds=st.sampled_from([1, 10, 31, 61, 300, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.run(timedelta(seconds=seconds))

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

    @rule(says=st.sampled_from(sorted(ANSWERS)))
    def the_evidence_changes(self, says: str) -> None:
        self.says = says

    @rule(version=st.sampled_from(["v7", "v8", "v9", "unknown"]))
    def somebody_applies(self, version: str) -> None:
        self.world.release(version)

    @rule(paused=st.booleans(), kill=st.sampled_from(["Off", "Off", "Stable", "Legacy"]))
    def somebody_edits(self, paused: bool, kill: str) -> None:  # drawn by Hypothesis
        written = self.world.spec.model_dump(by_alias=True, exclude_unset=True)
        self.world.edit(RolloutSpec.model_validate(written | {"paused": paused, "killSwitch": kill}))

    @rule(name=st.sampled_from(["approve", "abort", "resume", "retry"]), number=st.integers(1, 6))
    def somebody_annotates(self, name: str, number: int) -> None:
        self.world.annotate(name, f"{number}/half" if name == "approve" else str(number))

    @rule(ready=st.booleans())
    def the_gate_comes_and_goes(self, ready: bool) -> None:  # drawn by Hypothesis
        self.world.gates = {"quality": GateView("quality", gate())} if ready else {}

    @rule(delivers=st.booleans())
    def routers_can_be_written_or_not(self, delivers: bool) -> None:  # drawn by Hypothesis
        self.world.delivers = delivers

    @rule(weight=st.sampled_from([0, 5, 90]))
    def somebody_writes_the_router(self, weight: int) -> None:
        for router, routing in self.world.shown.items():
            if weight == 90:
                shown = replace(routing, weight=90, candidate=ArmVersion("v8", "sha256:v8"))
            else:
                shown = replace(routing, weight=min(weight, routing.weight))
            self.world.shown[router] = shown

    @precondition(lambda self: self.world.record is not None)
    @rule()
    def the_rollout_is_created_again(self) -> None:
        self.world.status, self.world.uid, self.world.annotations = RolloutStatus(), f"{self.world.uid}'", {}
        self.world.restart()
        self.checked = len(self.world.commits)

    # what must hold

    @invariant()
    def i1_and_i2_and_i9_weights_follow_steps_that_passed(self) -> None:
        commits = self.world.commits
        for before, after in zip(commits[max(0, self.checked - 1) :], commits[max(1, self.checked) :], strict=False):
            self._check(before, after)
        self.checked = len(commits)

    @invariant()
    def i3_a_rejected_digest_is_exposed_to_nobody(self) -> None:
        if not self.world.delivers:
            return
        self.world.settle()
        if self.world.memory.drift:
            self.world.run(timedelta(minutes=6))
        attempt = self.world.status.attempt
        rejected = {rejection.digest for rejection in self.world.status.rejected}
        assert not rejected & self.world.exposed(), (rejected, attempt)
        stable = self.world.status.stable
        assert stable is None or stable.digest not in rejected

    @invariant()
    def i4_a_way_back_ends_whatever_is_missing(self) -> None:
        attempt = self.world.status.attempt
        if attempt is None or attempt.state is not AttemptState.ROLLING_BACK or not self.world.delivers:
            return
        self.world.run(timedelta(minutes=6))
        assert self.world.status.attempt is not None
        assert self.world.status.attempt.state is not AttemptState.ROLLING_BACK or (
            self.world.status.attempt.number != attempt.number
        )

    def _check(self, before: RolloutStatus, after: RolloutStatus) -> None:
        old, new = before.attempt, after.attempt
        if old is None or new is None or new.step is None or old.number != new.number or old.step is None:
            assert new is None or new.step is None or new.step.index == 0, "an attempt began in mid-way"
            return
        if new.state not in (AttemptState.STEPPING, AttemptState.BAKING):
            assert after.weight == 0
            return
        assert new.step.index in (old.step.index, old.step.index + 1), "I2: a step was skipped or repeated"
        assert after.weight >= before.weight, "I9: a weight fell without a way back"
        if after.weight > before.weight:
            verdict = after.verdicts[0]
            assert verdict.verdict in PASSING, "I1: a weight rose without a recorded Pass"
            assert verdict.step == old.step.name, "I1: the Pass was not measured in the step that was left"
            assert isinstance(verdict.measured_at, datetime)
            assert old.step.delivered_at is None or verdict.measured_at >= old.step.delivered_at
            if new.step.name == "half":
                assert any(approval.step == "half" for approval in new.approvals), "entered without approval"


class Silences(Histories):
    """I5: evidence that says nothing neither raises a weight nor takes anybody back."""

    def __init__(self) -> None:
        super().__init__()
        self.says = "error"
        self.world.release("v8")
        self.world.settle()
        self.rejections_by_people = 0

    @rule(says=st.sampled_from(sorted(SILENT)))
    def the_evidence_changes(self, says: str) -> None:
        self.says = says

    @invariant()
    def i5_silence_moves_nothing(self) -> None:
        assert max((commit.weight for commit in self.world.commits), default=0) <= 10
        for rejection in self.world.status.rejected:
            assert "annotation" in rejection.reason or "killSwitch" in rejection.reason or "lost" in rejection.reason


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSilences = Silences.TestCase
TestSilences.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
