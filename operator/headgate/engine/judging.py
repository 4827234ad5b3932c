"""From evidence to consequences: records the verdicts of a look and does what the gates ask for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from headgate.api.quality_gate import Action, Check
from headgate.api.rollout import GateReference
from headgate.api.rollout_status import Outcome, PauseRecord, VerdictKind, VerdictRecord
from headgate.engine import wayback
from headgate.engine.annotations import RESUME, ask
from headgate.engine.decision import NoticeKind
from headgate.engine.evidence import Arm, Look, MeasureKey, Reading, ReadingKind
from headgate.engine.pausing import pause
from headgate.engine.questions import due_gates, questions_for
from headgate.engine.turn import Turn
from headgate.engine.verdicts import Measured, action_of, judge, passes

UNANSWERED_RETRY = timedelta(seconds=1)
"""When to ask again for a gate that became due while others were measured."""

MOST_VERDICTS = 1023
"""How many verdicts a status holds besides a new one; beyond that those of earlier steps make room."""

UNASKED = Reading(ReadingKind.ERROR, message="the measurement gave no answer for this check")


def resume(turn: Turn) -> None:
    """Ends a gate's pause when somebody asked for it; an annotation that was acted upon before does nothing."""
    attempt = turn.flight
    asked = ask(turn.observation.rollout.annotations, RESUME)
    if asked is None:
        if attempt.resumed is not None:
            turn.change_attempt(resumed=None)
        return
    if attempt.paused is None or asked.attempt != attempt.number or asked.written == attempt.resumed:
        return
    turn.change_attempt(paused=None, resumed=asked.written)
    turn.remember(resumed_at=turn.now, pausing=None)
    turn.happened("Resumed", f"attempt {attempt.number}: resumed by annotation {asked.written!r}")


def weigh(turn: Turn, references: list[GateReference], hold_end: datetime | None, *, waived: bool) -> None:
    """Judges what was measured in this look, or says what should be measured. May take the attempt back.

    Where a person ``waived`` missing evidence, no data does nothing.
    """
    look = turn.observation.look
    due = due_gates(turn, references, hold_end)
    if look is None or _is_spent(turn, due, look):
        turn.questions.extend(questions_for(turn, due))
    else:
        _weigh(turn, references, look, hold_end, waived=waived)
    _pause(turn)


def _is_spent(turn: Turn, due: list[GateReference], look: Look) -> bool:
    """Whether what it says is known, and could not be carried out before its gates fell due again: nothing rises on it.

    What it saw of a breach is remembered.
    """
    step, measured = turn.flight.step, turn.memory.measured
    names = {reference.name for reference in due if measured.get(reference.name) == look.at}
    here = step.name if step is not None else ""
    known = (record for record in turn.status.verdicts if record.gate in names and record.step == here)
    return any(record.measured_at == look.at for record in known)


def _weigh(turn: Turn, references: list[GateReference], look: Look, hold_end: datetime | None, *, waived: bool) -> None:
    over = hold_end is not None and turn.now >= hold_end and not waived
    for reference in _answered(turn, references, look):
        turn.remember(measured={**turn.memory.measured, reference.name: look.at})
        for check in turn.plan.gate_specs[reference.name].checks:
            record = _record(turn, reference, check, look)
            _keep(turn, record)
            _consequence(turn, check, record, hold_is_over=over)
    if due_gates(turn, references, hold_end):
        turn.wake(turn.now + UNANSWERED_RETRY)


def has_passed(turn: Turn, references: list[GateReference], since: datetime) -> bool:
    """Whether each check of those gates has a verdict, measured in this step since then, with which it may be left."""
    blocked_since: list[datetime] = []
    step = turn.flight.step
    here = step.name if step is not None else None
    for reference in references:
        for check in turn.plan.gate_specs[reference.name].checks:
            record = verdict_on(turn, reference.name, check.name)
            if record is None or record.step != here or record.measured_at is None or record.measured_at < since:
                blocked_since.append(since)
            elif not passes(check, record):
                blocked_since.append(max(record.since, since))
                turn.waits = turn.waits or _words(record)
    if not blocked_since:
        return True
    turn.waits = turn.waits or "gates have not been measured in this step yet"
    turn.blocked_since = min(blocked_since)
    return False


def is_breached(turn: Turn, references: list[GateReference]) -> bool:
    """Whether any of those gates has a verdict of harm in hand; a person's promote never steps over one."""
    for reference in references:
        for check in turn.plan.gate_specs[reference.name].checks:
            record = verdict_on(turn, reference.name, check.name)
            if record is not None and _is_harm(record) and not passes(check, record):
                turn.waits = _words(record)
                return True
    return False


def _is_harm(record: VerdictRecord) -> bool:
    """Whether it tells of a breach, be it one that silence covers at present."""
    harmful = (VerdictKind.BREACHING, VerdictKind.FAIL, VerdictKind.WARN)
    return record.verdict in harmful or record.breaching_since is not None


def verdict_on(turn: Turn, gate: str, check: str) -> VerdictRecord | None:
    """The last verdict on a check in this attempt."""
    return next((record for record in turn.status.verdicts if record.gate == gate and record.check == check), None)


def _words(record: VerdictRecord) -> str:
    return f"{record.gate}/{record.check}: {record.verdict.value} {record.message}".strip()


def _answered(turn: Turn, references: list[GateReference], look: Look) -> Iterator[GateReference]:
    """The gates of which this look measured anything."""
    tried = turn.flight.candidate.digest
    measured = {key.gate for key in look.readings if key.arm is Arm.CANDIDATE and key.digest == tried}
    return (reference for reference in references if reference.name in measured)


def _record(turn: Turn, reference: GateReference, check: Check, look: Look) -> VerdictRecord:
    step = turn.flight.step
    tried, good = turn.flight.candidate, turn.status.stable
    candidate = look.readings.get(MeasureKey(reference.name, check.name, Arm.CANDIDATE, tried.digest), UNASKED)
    stable = look.readings.get(MeasureKey(reference.name, check.name, Arm.STABLE, good.digest)) if good else None
    measured = Measured(reference.name, check, step.name if step else "", look.at, candidate, stable)
    return judge(measured, verdict_on(turn, reference.name, check.name))


def _keep(turn: Turn, record: VerdictRecord) -> None:
    others = [known for known in turn.status.verdicts if (known.gate, known.check) != (record.gate, record.check)]
    if len(others) >= MOST_VERDICTS:
        others = [known for known in others if known.step == record.step]
    turn.change(verdicts=sorted([*others, record], key=lambda known: (known.gate, known.check)))


def _consequence(turn: Turn, check: Check, record: VerdictRecord, *, hold_is_over: bool) -> None:
    words = f"{record.gate}/{record.check}: {record.value if record.value is not None else record.verdict.value}"
    words = f"{words}, {record.message}" if record.message else words
    match action_of(check, record, hold_is_over=hold_is_over):
        case Action.ROLLBACK if turn.in_flight:
            turn.remember(failing=(turn.flight.number, words))
            wayback.begin(turn, Outcome.ROLLED_BACK, words, reject=True)
        case Action.PAUSE if turn.in_flight and turn.flight.paused is None and not _was_resumed(turn, record):
            paused = PauseRecord.model_construct(
                at=turn.now, check=f"{record.gate}/{record.check}"[:253], reason=words[:1024]
            )
            turn.remember(pausing=(turn.flight.number, paused))
        case Action.NOTIFY if record.since == record.measured_at:
            turn.tell("CheckWarning", f"attempt {turn.flight.number}: {words}", NoticeKind.WARNING)
        case Action.ROLLBACK | Action.PAUSE | Action.HOLD | Action.NOTIFY | None:
            return


def _pause(turn: Turn) -> None:
    """Pauses for what was seen, were it in a look before whose pause could not be committed."""
    pausing = turn.memory.pausing
    if pausing is None or not turn.in_flight or turn.flight.paused is not None or pausing[0] != turn.flight.number:
        return
    pause(turn, pausing[1])
    turn.happened("PausedByGate", f"attempt {turn.flight.number}: {pausing[1].reason}", NoticeKind.WARNING)


def _was_resumed(turn: Turn, record: VerdictRecord) -> bool:
    """Whether a person resumed the attempt while this very breach went on; it then pauses no second time."""
    resumed = turn.memory.resumed_at
    return resumed is not None and record.since <= resumed
