"""What takes an attempt back besides a gate: kill switch, abort, alert, a spec that asks for something else."""

from headgate.api.rollout_status import Outcome
from headgate.engine import wayback
from headgate.engine.alerting import alert_to_revert, heed
from headgate.engine.annotations import ABORT, ask
from headgate.engine.subject import Subject
from headgate.engine.target import asker, departed
from headgate.engine.turn import Turn, named


def turn_back(turn: Turn, subject: Subject) -> bool:
    """Begins the way back when anything but a gate asks for it, in every state of an attempt; says whether."""
    if (why := why_rejected(turn)) is not None:
        wayback.begin(turn, Outcome.ROLLED_BACK, why, reject=True)
    else:
        heed(turn)
        _follow_spec(turn, subject)
    return turn.urgent


def why_rejected(turn: Turn) -> str | None:
    """Who rejects the candidate of the attempt in flight: a person, an alert or a gate that failed; None: nobody."""
    view, failing = turn.observation.rollout, turn.memory.failing
    asked = ask(view.annotations, ABORT)
    if turn.killed:
        return f"spec.killSwitch is {view.orders.kill_switch.value}"
    if asked is not None and asked.attempt == turn.flight.number:
        return f"aborted by annotation {asked.written!r}"
    if (alert := alert_to_revert(turn)) is not None:
        return f"alert: {alert.text}"
    return failing[1] if failing is not None and failing[0] == turn.flight.number else None


def _follow_spec(turn: Turn, subject: Subject) -> None:
    """Ends an attempt that the spec no longer asks for; one whose version cannot be resolved is held."""
    attempt, stable = turn.flight, turn.status.stable
    if (why := departed(turn)) is not None:
        wayback.begin(turn, Outcome.ABORTED, why, reject=False)
        return
    if subject.problem is not None or subject.pending or subject.ref is None:
        turn.problem = turn.problem or subject.problem
        return
    if subject.ref.digest == attempt.candidate.digest:
        return
    if stable is not None and subject.ref.digest == stable.digest:
        wayback.begin(turn, Outcome.ABORTED, f"{asker(turn)} back at stable", reject=False)
    else:
        wayback.begin(turn, Outcome.SUPERSEDED, f"superseded by {named(subject.ref)}", reject=False)
