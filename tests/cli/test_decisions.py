"""What each command would write, and what it refuses because it makes no sense."""

from collections.abc import Callable

import pytest

from headgate.api.rollout import KillSwitch
from headgate.cli.act.abort import abort, retry
from headgate.cli.act.approve import approve, promote
from headgate.cli.act.change import Change
from headgate.cli.act.kill import kill
from headgate.cli.act.pause import pause, resume
from headgate.cli.failures import CommandError
from headgate.engine.observation import RolloutView
from tests.cli.samples import V7, V8, Document, ago, attempt, rejection, rollout, spec, status, view

PAUSED = {"at": ago(3), "check": "reply-quality/latency-p95", "reason": "12 s"}
ENDED = attempt("Ended", outcome="RolledBack")
TAKEN_BACK: Document = {"state": "Ended", "outcome": "RolledBack", "reason": "too slow"}
TWICE: list[Document] = [
    {"weight": 10, "holdFor": "1m"},
    {"weight": 25, "holdFor": "1m"},
    {"weight": 50, "holdFor": "1m", "approval": "Required"},
    {"weight": 75, "holdFor": "1m", "approval": "Required"},
    {"weight": 100},
]
HISTORY = {
    "number": 3,
    "version": "support-reply-v8",
    "digest": V8["digest"],
    "outcome": "RolledBack",
    "reason": "too slow",
    "startedAt": ago(90),
    "endedAt": ago(60),
}


def _asked(**words: str) -> Document:
    """The metadata of a Rollout of which somebody asked that already."""
    annotations = {f"headgate.dev/{word}": value for word, value in words.items()}
    return {**rollout()["metadata"], "annotations": annotations}


def _annotation(change: Change) -> str | None:
    return None if change.annotation is None else f"{change.annotation[0]}={change.annotation[1]}"


def _approve(seen: RolloutView) -> Change:
    return approve(seen, None, None)


def _promote(seen: RolloutView) -> Change:
    return promote(seen, None)


def _retry(seen: RolloutView) -> Change:
    return retry(seen, None)


WRITES: dict[str, tuple[Callable[[RolloutView], Change], Document, str | None, Document]] = {
    "approve names attempt and step": (_approve, {"status": status(attempt())}, "headgate.dev/approve=3/50", {}),
    "approve a named step ahead": (
        lambda seen: approve(seen, None, "50"),
        {"status": status(attempt(step=0))},
        "headgate.dev/approve=3/50",
        {},
    ),
    "abort names the attempt": (abort, {"status": status(attempt())}, "headgate.dev/abort=3", {}),
    "abort works while paused": (
        abort,
        {"spec": spec(paused=True), "status": status(attempt(paused=PAUSED))},
        "headgate.dev/abort=3",
        {},
    ),
    "abort withdraws a retry that was not heard yet": (
        abort,
        {"metadata": _asked(retry="3"), "status": status(attempt(**TAKEN_BACK), rejected=[rejection()])},
        "headgate.dev/retry=None",
        {},
    ),
    "abort withdraws the retry of an earlier attempt too": (
        abort,
        {
            "metadata": _asked(retry="2"),
            "spec": spec("support-reply-v6"),
            "status": status(attempt(**TAKEN_BACK), rejected=[rejection(2, version="support-reply-v6"), rejection()]),
        },
        "headgate.dev/retry=None",
        {},
    ),
    "approve after the other approval was heard": (
        lambda seen: approve(seen, None, "75"),
        {
            "metadata": _asked(approve="3/50"),
            "spec": spec(steps=TWICE),
            "status": status(attempt(approvals=[{"step": "50", "at": ago(1)}])),
        },
        "headgate.dev/approve=3/75",
        {},
    ),
    "approve after an approval of an earlier attempt, or of a step that is not there": (
        lambda seen: approve(seen, None, "75"),
        {"metadata": _asked(approve="2/50"), "spec": spec(steps=TWICE), "status": status(attempt())},
        "headgate.dev/approve=3/75",
        {},
    ),
    "retry after the other retry was heard": (
        _retry,
        {"metadata": _asked(retry="2"), "status": status(ENDED, rejected=[rejection()])},
        "headgate.dev/retry=3",
        {},
    ),
    "promote names the attempt": (_promote, {"status": status(attempt())}, "headgate.dev/promote=3", {}),
    "promote while baking names the bake": (
        _promote,
        {"status": status(attempt("Baking", 3, promoted="3"))},
        "headgate.dev/promote=3/bake",
        {},
    ),
    "retry says it in other words where the first lift nothing": (
        _retry,
        {
            "metadata": _asked(retry="3"),
            "status": status(ENDED, rejected=[rejection(ignoredRetry="3")]),
        },
        "headgate.dev/retry=3/again",
        {},
    ),
    "retry says it in the first words again after that": (
        _retry,
        {
            "metadata": _asked(retry="3/again"),
            "status": status(ENDED, rejected=[rejection(ignoredRetry="3/again")]),
        },
        "headgate.dev/retry=3",
        {},
    ),
    "retry puts the version back in the same write": (
        _retry,
        {"spec": spec("support-reply-v7"), "status": status(ENDED, rejected=[rejection()])},
        "headgate.dev/retry=3",
        {"prompt": {"version": "support-reply-v8"}},
    ),
    "retry leaves a spec alone that names the version already": (
        _retry,
        {"status": status(ENDED, rejected=[rejection()])},
        "headgate.dev/retry=3",
        {},
    ),
    "retry means the last rejection": (
        _retry,
        {"status": status(ENDED, rejected=[rejection(2), rejection(3), rejection(1)])},
        "headgate.dev/retry=3",
        {},
    ),
    "retry means what the spec asks for before a later rejection": (
        _retry,
        {"status": status(ENDED, rejected=[rejection(2), rejection(3, version="support-reply-v9")])},
        "headgate.dev/retry=2",
        {},
    ),
    "retry means the last rejection where the spec asks for stable under the name of a rejected one": (
        _retry,
        {
            "spec": spec("support-reply-v7"),
            "status": status(ENDED, rejected=[rejection(2, version="support-reply-v7"), rejection(3)]),
        },
        "headgate.dev/retry=3",
        {"prompt": {"version": "support-reply-v8"}},
    ),
    "retry of another one after the retried one was promoted": (
        _retry,
        {
            "metadata": _asked(retry="3"),
            "status": status(
                attempt(number=5, state="Ended", outcome="RolledBack"),
                stable=V8,
                history=[HISTORY],
                rejected=[rejection(5, version="support-reply-v9")],
            ),
        },
        "headgate.dev/retry=5",
        {"prompt": {"version": "support-reply-v9"}},
    ),
    "pause is spec": (pause, {"status": status(attempt())}, None, {"paused": True}),
    "resume clears the spec": (
        resume,
        {"spec": spec(paused=True), "status": status(attempt())},
        None,
        {"paused": None},
    ),
    "resume ends a gate's pause": (resume, {"status": status(attempt(paused=PAUSED))}, "headgate.dev/resume=3", {}),
    "resume ends both": (
        resume,
        {"spec": spec(paused=True), "status": status(attempt(paused=PAUSED))},
        "headgate.dev/resume=3",
        {"paused": None},
    ),
    "a second resume differs from the first": (
        resume,
        {"status": status(attempt(paused=PAUSED, resumed="3"))},
        "headgate.dev/resume=3/25",
        {},
    ),
    "a third resume differs from the second": (
        resume,
        {"status": status(attempt(paused=PAUSED, resumed="3/25"))},
        "headgate.dev/resume=3",
        {},
    ),
    "kill": (
        lambda seen: kill(seen, KillSwitch.LEGACY),
        {"status": status(attempt())},
        None,
        {"killSwitch": "Legacy"},
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_it_writes(name: str) -> None:
    decide, fields, annotation, patch = WRITES[name]
    change = decide(view(**fields))
    assert (_annotation(change), change.spec) == (annotation, patch)


REFUSALS: dict[str, tuple[Callable[[RolloutView], Change], Document, str]] = {
    "approve with no attempt": (
        _approve,
        {"status": status()},
        "ai/support-reply: no attempt is in flight",
    ),
    "approve when nothing awaits": (
        _approve,
        {"status": status(attempt(step=3))},
        "ai/support-reply: attempt 3 awaits no approval",
    ),
    "approve before it is the next": (
        _approve,
        {"status": status(attempt(step=0))},
        "ai/support-reply: attempt 3 awaits no approval; approve a later one ahead with --step 50",
    ),
    "approve an unknown step": (
        lambda seen: approve(seen, None, "beta"),
        {"status": status(attempt())},
        "ai/support-reply: there is no step beta; the steps are 10, 25, 50, 100",
    ),
    "approve a step without approval": (
        lambda seen: approve(seen, None, "100"),
        {"status": status(attempt())},
        "ai/support-reply: step 100 needs no approval",
    ),
    "approve over an approval that was not heard yet": (
        lambda seen: approve(seen, None, "75"),
        {"metadata": _asked(approve="3/50"), "spec": spec(steps=TWICE), "status": status(attempt())},
        (
            "ai/support-reply: the operator has not heard the approval of step 50 yet, which this would erase;"
            " wait until it has, as --wait does"
        ),
    ),
    "retry over a retry that was not heard yet": (
        lambda seen: retry(seen, 3),
        {
            "metadata": _asked(retry="2"),
            "status": status(ENDED, rejected=[rejection(2, version="support-reply-v6"), rejection()]),
        },
        (
            "ai/support-reply: the operator has not heard the retry of attempt 2 yet, which this would erase;"
            " wait until it has, or first: headgate abort support-reply"
        ),
    ),
    "abort after a retry that was heard and has begun nothing": (
        abort,
        {"metadata": _asked(retry="3"), "status": status(attempt(**TAKEN_BACK))},
        (
            "ai/support-reply: no attempt is in flight; the rejection of the last is lifted, so that another may begin:"
            " name another version in spec.prompt.version, or headgate kill support-reply"
        ),
    ),
    "abort with no attempt": (
        abort,
        {"status": status(attempt("Ended", outcome="Promoted"))},
        "ai/support-reply: no attempt is in flight; attempt 3 of support-reply-v8 ended Promoted",
    ),
    "abort when the last was taken back and another is about to begin": (
        abort,
        {"spec": spec("support-reply-v9"), "status": status(ENDED)},
        "ai/support-reply: no attempt is in flight; attempt 3 of support-reply-v8 ended RolledBack",
    ),
    "abort of what is withdrawn and rejects nothing": (
        abort,
        {"status": status(attempt("RollingBack", outcome="Superseded", reason="superseded by support-reply-v9"))},
        (
            "ai/support-reply: attempt 3 of support-reply-v8 is on its way back, which nothing stops:"
            " superseded by support-reply-v9"
        ),
    ),
    "promote on the way back": (
        _promote,
        {"status": status(attempt("RollingBack", outcome="RolledBack", reason="too slow"))},
        "ai/support-reply: attempt 3 of support-reply-v8 is on its way back, which nothing stops: too slow",
    ),
    "promote while paused": (
        _promote,
        {"spec": spec(paused=True), "status": status(attempt())},
        "ai/support-reply: paused, so nothing rises; first: headgate resume support-reply",
    ),
    "promote while a gate pauses": (
        _promote,
        {"status": status(attempt(paused=PAUSED))},
        (
            "ai/support-reply: paused by reply-quality/latency-p95, so nothing rises;"
            " first: headgate resume support-reply"
        ),
    ),
    "retry of nothing": (
        _retry,
        {"status": status(ENDED)},
        "ai/support-reply: nothing is rejected, so there is nothing to retry",
    ),
    "retry of an attempt that rejected nothing": (
        lambda seen: retry(seen, 9),
        {"status": status(ENDED, rejected=[rejection()])},
        "ai/support-reply: attempt 9 rejected nothing; rejected in: 3 (support-reply-v8)",
    ),
    "retry over an attempt in flight": (
        _retry,
        {"status": status(attempt(number=4), rejected=[rejection()])},
        (
            "ai/support-reply: attempt 4 of support-reply-v8 is in flight;"
            " wait for its end, or first: headgate abort support-reply"
        ),
    ),
    "retry with the kill switch on": (
        _retry,
        {"spec": spec(killSwitch="Stable"), "status": status(ENDED, rejected=[rejection()])},
        "ai/support-reply: the kill switch is on; first: headgate kill support-reply --to Off",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_it_refuses_in_one_line(name: str) -> None:
    decide, fields, message = REFUSALS[name]
    with pytest.raises(CommandError) as refusal:
        decide(view(**fields))
    assert str(refusal.value) == message


FULFILLED: dict[str, tuple[Callable[[RolloutView], Change], Document, str]] = {
    "an abort that is not heard yet": (
        abort,
        {"metadata": _asked(abort="3"), "status": status(attempt())},
        (
            "aborted attempt 3: everybody goes back to support-reply-v7, the spec too;"
            " support-reply-v8 is rejected until: headgate retry support-reply"
        ),
    ),
    "an abort on the way back": (
        abort,
        {"status": status(attempt("RollingBack", outcome="RolledBack", reason="too slow"))},
        "attempt 3 of support-reply-v8 is on its way back: too slow",
    ),
    "an abort after the way back": (
        abort,
        {"spec": spec("support-reply-v7"), "status": status(attempt(**TAKEN_BACK))},
        "attempt 3 of support-reply-v8 was taken back: too slow",
    ),
    "a retry that is not heard yet": (
        _retry,
        {"metadata": _asked(retry="3"), "status": status(ENDED, rejected=[rejection()])},
        "lifted the rejection of support-reply-v8 (attempt 3)",
    ),
    "a retry that is in flight": (
        _retry,
        {"metadata": _asked(retry="3"), "status": status(attempt(number=4), history=[HISTORY])},
        "the rejection of support-reply-v8 (attempt 3) is lifted",
    ),
    "a retry that was heard and has begun nothing, beside a later rejection": (
        _retry,
        {
            "metadata": _asked(retry="3"),
            "status": status(
                attempt("Ended", number=4, outcome="RolledBack"),
                history=[HISTORY],
                rejected=[rejection(4, version="support-reply-v9")],
            ),
        },
        "the rejection of support-reply-v8 (attempt 3) is lifted",
    ),
    "a promotion that is not heard yet": (
        _promote,
        {"metadata": _asked(promote="3"), "status": status(attempt())},
        (
            "promoted attempt 3 (support-reply-v8): it goes to 100 % without holds and approvals;"
            " then it bakes, which another promote ends: headgate promote support-reply"
        ),
    ),
    "a promotion in its steps": (
        _promote,
        {"spec": spec(bakeFor=None), "status": status(attempt(promoted="3"))},
        "promoted attempt 3 (support-reply-v8): it goes to 100 % without holds and approvals",
    ),
    "a promotion of what is stable": (
        _promote,
        {"status": status(attempt("Ended", outcome="Promoted"))},
        "attempt 3 was promoted: support-reply-v8 is stable",
    ),
    "an approval that was given": (
        lambda seen: approve(seen, None, "50"),
        {"status": status(attempt(approvals=[{"step": "50", "at": ago(1)}]))},
        "step 50 of attempt 3 (support-reply-v8) is approved",
    ),
    "an approval of a step that was entered": (
        lambda seen: approve(seen, None, "50"),
        {"status": status(attempt(step=3))},
        "step 50 of attempt 3 (support-reply-v8) is approved",
    ),
    "an approval of the step that was just entered": (
        _approve,
        {"status": status(attempt(step=2, approvals=[{"step": "50", "at": ago(1)}]))},
        "step 50 of attempt 3 (support-reply-v8) is approved",
    ),
    "a pause": (
        pause,
        {"spec": spec(paused=True)},
        "paused: weights do not rise until: headgate resume support-reply; judging and reverting go on",
    ),
    "a resume": (resume, {"status": status(attempt())}, "not paused"),
    "a resume that is not heard yet": (
        resume,
        {"metadata": _asked(resume="3"), "status": status(attempt(paused=PAUSED))},
        "resumed: the pause by reply-quality/latency-p95 cleared",
    ),
    "a kill": (
        lambda seen: kill(seen, KillSwitch.STABLE),
        {"spec": spec(killSwitch="Stable"), "status": status()},
        "killed: everybody gets support-reply-v7 at once",
    ),
    "an end of no kill": (
        lambda seen: kill(seen, KillSwitch.OFF),
        {"status": status(attempt())},
        "the kill switch is off",
    ),
}


@pytest.mark.parametrize("name", FULFILLED)
def test_what_was_said_before_is_said_again_and_writes_nothing(name: str) -> None:
    decide, fields, message = FULFILLED[name]
    change = decide(view(**fields))
    assert change.says == f"ai/support-reply: {message}"
    assert change.stands_in(rollout(**fields))


@pytest.mark.parametrize("name", WRITES)
def test_what_would_change_something_does_not_stand_there(name: str) -> None:
    decide, fields, _, _ = WRITES[name]
    assert not decide(view(**fields)).stands_in(rollout(**fields))


def test_a_second_retry_does_not_put_back_what_somebody_moved_on_from() -> None:
    moved = view(metadata=_asked(retry="3"), spec=spec("support-reply-v9"), status=status(history=[HISTORY]))
    with pytest.raises(CommandError, match="nothing is rejected"):
        retry(moved, None)


def test_abort_says_that_it_withdrew_a_retry_and_that_nothing_is_shown() -> None:
    retried: Document = {"metadata": _asked(retry="3"), "status": status(attempt(**TAKEN_BACK), rejected=[rejection()])}
    change = abort(view(**retried))
    assert change.says == (
        "ai/support-reply: withdrew the retry of attempt 3 before the operator heard it: support-reply-v8 stays"
        " rejected and is shown to nobody, though spec.prompt.version names it"
    )
    assert change.body() == {"metadata": {"annotations": {"headgate.dev/retry": None}}}
    assert change.stands_in(rollout(status=retried["status"]))
    assert change.is_done(view(**retried))


def test_abort_is_done_only_when_the_attempt_has_ended() -> None:
    change = abort(view(status=status(attempt())))
    assert not change.is_done(view(status=status(attempt("RollingBack"))))
    assert change.is_done(view(status=status(ENDED)))


def test_pause_is_done_when_the_operator_has_seen_the_new_generation() -> None:
    change = pause(view(status=status(attempt())))
    assert not change.is_done(view(status=status(attempt(), observedGeneration=1)))
    assert change.is_done(view(status=status(attempt(), observedGeneration=2)))


def test_resume_is_done_when_the_gates_pause_is_over() -> None:
    change = resume(view(status=status(attempt(paused=PAUSED))))
    assert not change.is_done(view(status=status(attempt(paused=PAUSED))))
    assert change.is_done(view(status=status(attempt(resumed="3"))))


def test_kill_says_what_happens_to_the_attempt_in_flight() -> None:
    change = kill(view(status=status(attempt(), stable=V7)), KillSwitch.STABLE)
    assert change.says == (
        "ai/support-reply: killed: everybody gets support-reply-v7 at once; attempt 3 is taken back"
        " and support-reply-v8 rejected until: headgate retry support-reply"
    )


@pytest.mark.parametrize("to", [KillSwitch.STABLE, KillSwitch.LEGACY])
def test_kill_withdraws_a_retry_that_was_not_heard_yet_in_the_same_write(to: KillSwitch) -> None:
    retried: Document = {"metadata": _asked(retry="3"), "status": status(attempt(**TAKEN_BACK), rejected=[rejection()])}
    change = kill(view(**retried), to)
    assert change.body() == {
        "metadata": {"annotations": {"headgate.dev/retry": None}},
        "spec": {"killSwitch": to.value},
    }
    assert change.says.endswith(
        "; withdrew the retry of attempt 3 before the operator heard it: support-reply-v8 stays rejected"
    )
    assert not change.stands_in(rollout(spec=spec(killSwitch=to.value), **retried))


def test_kill_leaves_a_retry_alone_that_was_heard() -> None:
    heard = view(metadata=_asked(retry="3"), status=status(attempt(**TAKEN_BACK), history=[HISTORY]))
    assert kill(heard, KillSwitch.STABLE).body() == {"spec": {"killSwitch": "Stable"}}


def test_kill_off_says_that_a_retry_which_was_asked_for_meanwhile_is_tried_and_leaves_it() -> None:
    killed = spec(killSwitch="Stable")
    said = status(ENDED, phase="Killed", stable=V7, rejected=[rejection()])
    change = kill(view(metadata=_asked(retry="3"), spec=killed, status=said), KillSwitch.OFF)
    assert change.says.endswith("; support-reply-v8, which the spec names, is tried now, from its first step")
    assert change.annotation is None


def _delivered(truth: str) -> Document:
    return {"type": "Delivered", "status": truth, "reason": "Delivered", "message": "", "lastTransitionTime": ago(9)}


def test_kill_is_done_when_everybody_is_there_whatever_else_is_wrong() -> None:
    change = kill(view(status=status(attempt())), KillSwitch.STABLE)
    assert not change.is_done(view(status=status(attempt(), observedGeneration=1)))
    assert not change.is_done(view(status=status(attempt("RollingBack"))))
    assert not change.is_done(view(status=status(phase="Killed", conditions=[_delivered("False")])))
    assert change.is_done(view(status=status(phase="Killed", conditions=[_delivered("True")])))
    # A version that does not exist, a missing account or target: the phase is Invalid, and the switch is heard.
    assert change.is_done(view(status=status(ENDED, phase="Invalid")))


SERVICE = {"apiVersion": "models.example.com/v1beta1", "kind": "InferenceService", "name": "ranker"}


@pytest.mark.parametrize(
    ("asked", "rejected", "follows"),
    [
        ("support-reply-v7", [], "nothing rises by itself, everybody stays on stable"),
        ("support-reply-v8", [rejection()], "nothing rises by itself, everybody stays on stable"),
        (
            "support-reply-v9",
            [rejection()],
            "support-reply-v9, which the spec names, is tried now, from its first step",
        ),
    ],
    ids=["stable", "rejected", "new"],
)
def test_kill_off_says_what_is_tried_then(asked: str, rejected: list[Document], follows: str) -> None:
    killed = spec(asked, killSwitch="Stable")
    seen = view(spec=killed, status=status(ENDED, phase="Killed", stable=V7, rejected=rejected))
    assert kill(seen, KillSwitch.OFF).says == f"ai/support-reply: the kill switch is off; {follows}"


def test_kill_off_says_that_an_edit_of_a_target_is_tried_then() -> None:
    field = {"field": {"path": "spec.canaryTrafficPercent"}}
    killed = {"target": {**SERVICE, "fields": ["spec.model"]}, "delivery": [field], "steps": [{"weight": 100}]}
    seen = view(spec={**killed, "killSwitch": "Stable"}, status=status(ENDED, phase="Killed", stable=V7))
    follows = "what was rejected stays so; another edit of InferenceService ranker is tried now"
    assert kill(seen, KillSwitch.OFF).says == f"ai/support-reply: the kill switch is off; {follows}"


def test_kill_promises_no_legacy_path_where_no_flag_has_one() -> None:
    route = {"httpRoute": {"name": "reply", "backends": ["blue", "green"]}}
    seen = view(spec=spec(delivery=[route]), status=status(ENDED, stable=V7))
    told = "ai/support-reply: killed: everybody gets support-reply-v7 at once, since only a flag has a legacy path"
    assert kill(seen, KillSwitch.LEGACY).says == told
    flagged = view(status=status(ENDED, stable=V7))
    assert kill(flagged, KillSwitch.LEGACY).says == "ai/support-reply: killed: everybody gets the legacy path at once"


def test_the_kill_switch_is_off_when_the_operator_has_seen_it() -> None:
    change = kill(view(spec=spec(killSwitch="Stable"), status=status(ENDED, phase="Killed")), KillSwitch.OFF)
    assert not change.is_done(view(status=status(ENDED, phase="Killed", observedGeneration=1)))
    assert change.is_done(view(status=status(ENDED, phase="RolledBack")))
