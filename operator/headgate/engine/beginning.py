"""How an attempt begins: the first version, a version that may be tried, the gates that it needs."""

from headgate.api.rollout import GateReference
from headgate.api.rollout_status import Attempt, AttemptState, Outcome, Rejection, StableRef, VersionRef
from headgate.engine.alert_note import alert_note
from headgate.engine.annotations import ASKS, ask, retry_of
from headgate.engine.authority import lacks_account
from headgate.engine.ending import record_of
from headgate.engine.observation import GateView
from headgate.engine.pausing import paused_by
from headgate.engine.plan import FrozenPayload, FrozenVersion, Plan
from headgate.engine.routers import ahead, is_delivered, undelivered
from headgate.engine.routing import Payload
from headgate.engine.steps import enter
from headgate.engine.subject import Subject
from headgate.engine.target import has_no_way_back, is_another, rebase, tell_of_another
from headgate.engine.turn import Turn, named
from headgate.engine.way_out import way_out

FARTHEST_ATTEMPT = 10**9
"""No Rollout comes as far as this by itself: a number beyond it is somebody's, and is never come to."""


def be_first(turn: Turn, subject: Subject) -> None:
    """Without a record or a router that names an earlier stable, a version becomes stable at once, gates or not.

    Not while an older Rollout has one of the routers: nobody would be served by it.
    """
    if turn.observation.claimed_by:
        return
    if subject.problem is not None or subject.pending or subject.ref is None or lacks_account(turn):
        turn.problem = turn.problem or subject.problem
        return
    if rejection := _rejection(turn, subject.ref):
        turn.stall("Rejected", way_out(turn, rejection), invalid=False)
        return
    if turn.status.stable is not None:
        tell_of_another(turn, turn.status.stable)
    _let_go(turn)
    slot = turn.status.stable.slot if turn.status.stable is not None else 0
    target = turn.observation.target.ref if turn.observation.target is not None else None
    stable = StableRef.model_construct(version=subject.ref.version, digest=subject.ref.digest, slot=slot, target=target)
    attempts = max(turn.status.attempts, _named_already(turn))
    turn.change(stable=stable, revision=max(turn.status.revision, ahead(turn)), attempts=attempts)
    turn.happened("FirstVersion", f"{named(subject.ref)} is the first version and so stable at once")
    turn.record = record_of(turn)


def _let_go(turn: Turn) -> None:
    """Something else is stable by now than what the last attempt was taken back to: what became of that is settled."""
    attempt = turn.attempt
    if attempt is not None and attempt.outcome is Outcome.ROLLED_BACK:
        turn.change_attempt(still_asked=True)
        turn.let_go = True


def _named_already(turn: Turn) -> int:
    """The last attempt that an annotation names: one that came along from elsewhere means none of this Rollout's."""
    annotations = turn.observation.rollout.annotations
    asked, note = (ask(annotations, name) for name in ASKS), alert_note(annotations)
    numbers = [each.attempt for each in asked if each is not None] + ([note.attempt] if note is not None else [])
    return max((number for number in numbers if number <= FARTHEST_ATTEMPT), default=0)


def rest(turn: Turn, subject: Subject) -> None:
    """With no attempt in flight: begin one when the spec names a version that may be tried."""
    stable, spec = turn.status.stable, turn.observation.rollout.spec
    if has_no_way_back(turn):
        return
    _hear_retry(turn)
    if stable is None or is_another(turn):
        be_first(turn, subject)
        return
    if rebase(turn):
        return
    if subject.problem is not None or subject.pending or subject.ref is None or spec is None:
        turn.problem = turn.problem or subject.problem
        return
    if subject.ref == VersionRef(version=stable.version, digest=stable.digest):
        turn.let_go = turn.attempt is not None and bool(turn.attempt.still_asked)
        return
    if subject.ref.digest == stable.digest:
        turn.change(stable=stable.model_copy(update={"version": subject.ref.version}))
        _let_go(turn)
        turn.happened("SameContent", f"{named(subject.ref)} has stable's content; stable is called by this name now")
        turn.record = record_of(turn)
        return
    if rejection := _rejection(turn, subject.ref):
        _stay(turn, rejection)
        return
    if turn.killed or turn.problem is not None:
        return
    number = turn.status.attempts + 1
    turn.change(
        attempts=number,
        verdicts=[],
        attempt=Attempt(number=number, candidate=subject.ref, state=AttemptState.VERIFYING, started_at=turn.now),
    )
    turn.remember(measured={}, failing=None, pausing=None, resumed_at=None, drift={}, restored=None)
    turn.transition = True
    verify(turn)
    if turn.state is AttemptState.VERIFYING:
        turn.tell("Verifying", f"attempt {number} of {named(subject.ref)} waits: {turn.waits}")


def verify(turn: Turn) -> None:
    """Enters the first step once every gate that any step needs is Ready and every router is back at 0."""
    spec = turn.observation.rollout.spec
    if spec is None or turn.problem is not None:
        turn.waits = turn.problem.message if turn.problem else "the spec cannot be read"
        return
    for reference in spec.references():
        if fault := _gate_fault(turn.observation.gates.get(reference.name), reference):
            turn.waits = fault
            return
    if not is_delivered(turn):
        turn.waits = undelivered(turn) or "the routers have not confirmed weight 0 yet"
        return
    if turn.pending:
        turn.waits = "the version that the spec names is not there yet"
        return
    if turn.observation.rollout.orders.paused:
        turn.waits = "spec.paused is set"
        return
    if turn.flight.paused is not None:
        turn.waits = paused_by(turn, turn.flight.paused)
        return
    plan = _freeze(turn)
    before = turn.attempt
    turn.manifest = plan
    turn.change_attempt(manifest=plan.name)
    enter(turn, 0)
    if turn.state is AttemptState.VERIFYING:
        turn.manifest = None
        turn.change(attempt=before)


def _freeze(turn: Turn) -> Plan:
    view, attempt, stable = turn.observation.rollout, turn.flight, turn.status.stable
    spec = view.spec
    if spec is None or stable is None:
        raise AssertionError("an attempt has a spec and a stable version")
    names = {reference.name for reference in spec.references()}
    gates = turn.observation.gates
    specs = {name: gate.spec for name, gate in gates.items() if name in names and gate.spec is not None}
    return Plan(
        rollout=view.name,
        namespace=view.namespace,
        uid=view.uid,
        generation=view.generation,
        attempt=attempt.number,
        created_at=turn.now,
        stable=_frozen(turn, stable),
        stable_slot=stable.slot,
        candidate=_frozen(turn, attempt.candidate),
        steps=spec.steps,
        gates=spec.gates,
        gate_specs=dict(sorted(specs.items())),
        delivery=spec.routes(),
        bake_for=spec.bake_for,
        progress_deadline=spec.progress_deadline,
        service_account_name=spec.service_account_name,
    )


def _frozen(turn: Turn, ref: VersionRef) -> FrozenVersion:
    known = turn.observation.versions.get(ref.version)
    payload = known.payload if known is not None and known.digest == ref.digest else None
    return FrozenVersion(version=ref.version, digest=ref.digest, payload=_frozen_payload(payload))


def _frozen_payload(payload: Payload | None) -> FrozenPayload | None:
    if payload is None:
        return None
    return FrozenPayload(
        compiled=payload.compiled, model=payload.model, seed=payload.seed, temperature=payload.temperature
    )


def _gate_fault(gate: GateView | None, reference: GateReference) -> str:
    if gate is None:
        return f"QualityGate {reference.name!r} does not exist; apply it"
    if gate.spec is None or gate.error is not None:
        return f"QualityGate {gate.name!r} is not Ready: {gate.error}"
    declared = {parameter.name for parameter in gate.spec.parameters}
    if missing := sorted(declared - reference.args.keys()):
        return f"gates: {gate.name!r} needs args.{missing[0]}; add it"
    if unknown := sorted(reference.args.keys() - declared):
        return f"gates: {gate.name!r} declares no parameter {unknown[0]!r}; remove the argument"
    return ""


def _hear_retry(turn: Turn) -> None:
    """Lifts the rejection that a person names: one that was on record then. Under the kill switch none ever is."""
    annotations, rejected = turn.observation.rollout.annotations, turn.status.rejected
    meant = [
        each for each in rejected if (asked := retry_of(annotations, each.attempt)) and asked != each.ignored_retry
    ]
    if not meant:
        return
    attempt = meant[0].attempt
    if turn.killed:
        ignored = {"ignored_retry": retry_of(annotations, attempt)}
        turn.change(rejected=[each.model_copy(update=ignored) if each in meant else each for each in rejected])
        why = f"the kill switch is on, so the rejection of attempt {attempt} stays"
        turn.happened("RetryIgnored", f"{why}; once it is off: headgate retry {turn.observation.rollout.name}")
    else:
        turn.change(rejected=[each for each in rejected if each not in meant])
        turn.happened("RetryAllowed", f"the rejection of attempt {attempt} was lifted by a person")
    turn.record = record_of(turn)


def _rejection(turn: Turn, ref: VersionRef) -> Rejection | None:
    return next((known for known in turn.status.rejected if known.digest == ref.digest), None)


def _stay(turn: Turn, rejection: Rejection) -> None:
    """A rejected version is asked for: nothing moves, and the condition says what a person can do."""
    attempt = turn.attempt
    if attempt is not None and attempt.outcome is Outcome.ROLLED_BACK and not attempt.still_asked:
        turn.change_attempt(still_asked=True)
    turn.stall("Rejected", way_out(turn, rejection), invalid=False)
