"""What a Rollout waits for, as a person reads it."""

import pytest

from headgate.cli.waiting import waiting, waiting_for
from headgate.engine.plan import Plan
from tests.cli.samples import NOW, TARGET, V8, Document, ago, attempt, rejection, spec, status, verdict, view

PASSED = [verdict()]


def _condition(kind: str, truth: str, reason: str, message: str) -> Document:
    return {"type": kind, "status": truth, "reason": reason, "message": message, "lastTransitionTime": ago(9)}


CASES: dict[str, tuple[Document, str]] = {
    "nothing at all": (
        {"spec": spec("support-reply-v7"), "status": status(phase="Idle", weight=0)},
        "",
    ),
    "never seen by the operator": ({"status": {}}, "the operator to see it"),
    "a newer generation": (
        {"spec": spec("support-reply-v7"), "status": status(phase="Idle", observedGeneration=1)},
        "the operator to see generation 2",
    ),
    "a malformed spec": ({"spec": {}}, "a spec that can be read: spec.delivery: Field required (and 1 more)"),
    "the rest of a hold": (
        {"status": status(attempt(), verdicts=PASSED)},
        "the hold of step 25, 20s more",
    ),
    "a hold, and too few samples": (
        {"status": status(attempt(), verdicts=[verdict("Undecided", message="12 of 50 samples")])},
        "the hold of step 25, 20s more; then reply-quality/error-rate is Undecided 12 of 50 samples",
    ),
    "the first measurement": (
        {"status": status(attempt(step={"index": 0, "name": "10", "startedAt": ago(90), "deliveredAt": ago(80)}))},
        "the gates of step 10: reply-quality to be measured",
    ),
    "the hold, where a verdict has stayed the same since an earlier step": (
        {"status": status(attempt(), verdicts=[verdict(measured=400)])},
        "the hold of step 25, 20s more",
    ),
    "the hold, where the moment of delivery is not written yet": (
        {
            "status": status(
                attempt(step={"index": 1, "name": "25", "startedAt": ago(42)}),
                verdicts=PASSED,
                conditions=[_condition("Delivered", "True", "Delivered", "")],
            )
        },
        "the hold of step 25, 18s more",
    ),
    "a breach that has not lasted": (
        {
            "status": status(
                attempt(step={"index": 0, "name": "10", "startedAt": ago(90), "deliveredAt": ago(80)}),
                verdicts=[verdict("Breaching", value="12 s", message="above 10s")],
            )
        },
        "the gates of step 10: reply-quality/error-rate is Breaching 12 s above 10s",
    ),
    "a delivery": (
        {
            "status": status(
                attempt(step={"index": 1, "name": "25", "startedAt": ago(3)}),
                conditions=[_condition("Delivered", "False", "Undelivered", "flag/flags/flags.json: not JSON")],
            )
        },
        "every router to show step 25 (25 %): flag/flags/flags.json: not JSON",
    ),
    "an approval": (
        {
            "status": status(
                attempt(step={"index": 1, "name": "25", "startedAt": ago(90), "deliveredAt": ago(80)}),
                phase="AwaitingApproval",
                verdicts=PASSED,
            )
        },
        "approval of step 50",
    ),
    "gates before the first step": (
        {"status": status(attempt("Verifying", None, reason="QualityGate 'reply-quality' does not exist; apply it"))},
        "QualityGate 'reply-quality' does not exist; apply it",
    ),
    "a resume after a gate's pause": (
        {"status": status(attempt(paused={"at": ago(3), "check": "reply-quality/latency-p95", "reason": "12 s"}))},
        "a resume: reply-quality/latency-p95 paused the attempt: 12 s",
    ),
    "spec.paused": (
        {"spec": spec(paused=True), "status": status(attempt())},
        "spec.paused to be cleared; judging and reverting go on",
    ),
    "the bake": (
        {"status": status(attempt("Baking", 3, bakingSince=ago(100)), verdicts=PASSED)},
        "the hold of the bake, 3m20s more",
    ),
    "the way back": (
        {"spec": spec("support-reply-v7"), "status": status(attempt("RollingBack", outcome="RolledBack"), weight=0)},
        "every router to be at 0",
    ),
    "the way back, with the spec": (
        {"status": status(attempt("RollingBack", outcome="RolledBack"), weight=0)},
        "every router to be at 0 and the spec to be restored",
    ),
    "the way back, where what was good is refused": (
        {
            "status": status(
                attempt("RollingBack", outcome="RolledBack"),
                weight=0,
                conditions=[_condition("Stalled", "True", "RestoreRefused", "storageUri should match '^s3://'")],
            )
        },
        "what was good to be put back: storageUri should match '^s3://'",
    ),
    "the kill switch, before the operator has seen it": (
        {"spec": spec(killSwitch="Stable"), "status": status(attempt(), observedGeneration=1)},
        "the operator to see generation 2, and to put everybody on stable",
    ),
    "the kill switch, where a router cannot be written": (
        {
            "spec": spec(killSwitch="Legacy"),
            "status": status(
                phase="Killed", conditions=[_condition("Delivered", "False", "Undelivered", "flag/flags: not JSON")]
            ),
        },
        "every router to show legacy: flag/flags: not JSON",
    ),
    "the kill switch to a legacy path that no router has": (
        {
            "spec": spec(killSwitch="Legacy", delivery=[{"httpRoute": {"name": "reply", "backends": ["a", "b"]}}]),
            "status": status(phase="Killed"),
        },
        "the kill switch to be turned off: everybody is on stable",
    ),
    "the kill switch": (
        {"spec": spec(killSwitch="Legacy"), "status": status(phase="Killed")},
        "the kill switch to be turned off: everybody is on legacy",
    ),
    "a version after a revert": (
        {
            "spec": spec("support-reply-v7"),
            "status": status(
                attempt("Ended", outcome="RolledBack"),
                rejected=[rejection()],
                conditions=[_condition("Stalled", "True", "RolledBack", "taken back")],
            ),
        },
        "another version: support-reply-v8 was rejected in attempt 3: reply-quality/error-rate: 12 % above 5%",
    ),
    "a version where Git still names the rejected one": (
        {"status": status(attempt("Ended", outcome="RolledBack"), rejected=[rejection()])},
        "another version: support-reply-v8 was rejected in attempt 3: reply-quality/error-rate: 12 % above 5%",
    ),
    "another edit": (
        {"spec": TARGET, "status": status(attempt("Ended", outcome="RolledBack", reason="too slow"))},
        "another edit: support-reply-v8 was rejected in attempt 3: too slow",
    ),
    "a version where Git names the one of an earlier attempt": (
        {
            "status": status(
                attempt("Ended", outcome="RolledBack"),
                rejected=[rejection(2), rejection(3, version="support-reply-v9")],
            )
        },
        "another version: support-reply-v8 was rejected in attempt 2: reply-quality/error-rate: 12 % above 5%",
    ),
    "an unknown version": (
        {
            "status": status(
                phase="Invalid",
                conditions=[_condition("Stalled", "True", "UnknownVersion", "PromptVersion 'x' does not exist")],
            )
        },
        "PromptVersion 'x' does not exist",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_waits_for(name: str) -> None:
    fields, expected = CASES[name]
    assert waiting_for(view(**fields), NOW) == expected


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("an approval", "headgate approve support-reply"),
        ("spec.paused", "headgate resume support-reply"),
        ("a resume after a gate's pause", "headgate resume support-reply"),
        ("the kill switch", "headgate kill support-reply --to Off"),
        (
            "a version after a revert",
            "name another version in spec.prompt.version, or headgate retry support-reply --attempt 3",
        ),
        (
            "a version where Git names the one of an earlier attempt",
            "name another version in spec.prompt.version, or headgate retry support-reply --attempt 2",
        ),
        ("another edit", "edit InferenceService ranker again, or headgate retry support-reply --attempt 3 first"),
        ("the rest of a hold", ""),
    ],
)
def test_it_says_what_a_person_can_do(name: str, remedy: str) -> None:
    assert waiting(view(**CASES[name][0]), NOW).remedy == remedy


def test_what_was_frozen_for_the_attempt_counts_and_not_the_edited_spec() -> None:
    edited = spec(steps=[{"weight": 25, "holdFor": "3d"}, {"weight": 100}])
    seen = view(spec=edited, status=status(attempt(), verdicts=PASSED))
    plan = Plan.model_validate(
        {
            "rollout": "support-reply",
            "namespace": "ai",
            "uid": "u1",
            "generation": 1,
            "attempt": 3,
            "createdAt": ago(200),
            "stable": {**V8},
            "candidate": V8,
            "steps": spec()["steps"],
            "gates": spec()["gates"],
            "gateSpecs": {},
            "delivery": spec()["delivery"],
        }
    )
    assert waiting_for(seen, NOW, plan) == "the hold of step 25, 20s more"
