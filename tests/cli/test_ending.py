"""When `watch --until-end` is over, and with which exit status."""

import pytest

from headgate.cli.watch.ending import end_of
from tests.cli.samples import TARGET, V8, Document, ago, attempt, rejection, rollout, spec, status, view

HISTORY = [{"number": 3, **V8, "outcome": "Superseded", "reason": "v9 came", "startedAt": ago(90), "endedAt": ago(1)}]

ENDED = attempt("Ended", outcome="RolledBack")
PROMOTED = attempt("Ended", outcome="Promoted")
RETRIED = {**rollout()["metadata"], "annotations": {"headgate.dev/retry": "3"}}


def stalled(reason: str = "RouterUnusable") -> list[Document]:
    message, since = "ConfigMap flags, key flags.json: no JSON", ago(30)
    condition = {"type": "Stalled", "status": "True", "reason": reason, "message": message}
    return [{**condition, "lastTransitionTime": since, "observedGeneration": 2}]


@pytest.mark.parametrize(
    ("fields", "watched", "expected"),
    [
        ({"status": status(attempt())}, None, None),
        ({"status": status(attempt("RollingBack", outcome="RolledBack"))}, 3, None),
        ({"status": status(attempt("Ended", outcome="Promoted"))}, 3, 0),
        ({"status": status(attempt("Ended", outcome="RolledBack"))}, 3, 1),
        ({"status": status(attempt("Ended", outcome="Aborted"))}, 3, 1),
        ({"status": status(attempt(number=4), history=HISTORY)}, 3, 1),
        # The operator has not seen this generation: an attempt is about to begin.
        ({"status": status(attempt("Ended", outcome="Promoted"), observedGeneration=1)}, None, None),
        ({"status": status(attempt("Ended", outcome="Promoted"))}, None, 0),
        ({"spec": spec("support-reply-v7"), "status": status()}, None, 0),
        ({"status": status()}, None, None),
        ({"spec": {}, "status": status()}, None, 1),
        # A retry that the operator has not heard, one that it heard, and one that was withdrawn.
        ({"metadata": RETRIED, "status": status(ENDED, rejected=[rejection()])}, None, None),
        ({"metadata": RETRIED, "spec": TARGET, "status": status(ENDED, rejected=[rejection()])}, None, None),
        ({"metadata": RETRIED, "status": status(ENDED)}, None, None),
        ({"metadata": RETRIED, "spec": spec(killSwitch="Stable"), "status": status(ENDED)}, None, 1),
        # One that was there before the rejection, and lifts nothing.
        ({"metadata": RETRIED, "status": status(ENDED, rejected=[rejection(ignoredRetry="3")])}, None, 1),
        ({"status": status(ENDED, rejected=[rejection()])}, None, 1),
        # The version that the spec names has not been compiled yet.
        ({"spec": spec("support-reply-v9"), "status": status(attempt("Ended", outcome="Promoted"))}, None, None),
        # It will not be tried while the kill switch is on, whatever became of the one before, or where it is the first.
        ({"spec": spec("support-reply-v9", killSwitch="Stable"), "status": status(PROMOTED)}, None, 1),
        ({"spec": spec("support-reply-v9", killSwitch="Legacy"), "status": status()}, None, 1),
        ({"spec": spec("support-reply-v9"), "status": status()}, None, None),
        # Somebody must mend the router first, or give a right; of stable no attempt begins.
        ({"spec": spec("support-reply-v9"), "status": status(PROMOTED, conditions=stalled())}, None, 1),
        ({"spec": spec("support-reply-v9"), "status": status(conditions=stalled("WriteRefused"))}, None, 1),
        ({"spec": spec("support-reply-v7"), "status": status(PROMOTED, conditions=stalled())}, None, 0),
        ({"spec": spec("support-reply-v7"), "status": status(ENDED, rejected=[rejection()])}, None, 1),
    ],
)
def test_the_end(fields: Document, watched: int | None, expected: int | None) -> None:
    end = end_of(view(**fields), watched)
    assert (None if end is None else int(end.status)) == expected


def test_a_superseded_attempt_says_so() -> None:
    end = end_of(view(status=status(attempt(number=4), history=HISTORY)), 3)
    assert end is not None
    assert end.says == "ai/support-reply: attempt 3 Superseded: v9 came"


def test_what_the_kill_switch_keeps_from_being_tried_is_said_with_the_way_out() -> None:
    end = end_of(view(spec=spec("support-reply-v9", killSwitch="Stable"), status=status(PROMOTED)), None)
    assert end is not None
    assert end.says == (
        "ai/support-reply: no attempt begins: the kill switch is Stable;"
        " to try it: headgate kill support-reply --to Off"
    )
