"""What every router must show under a committed status. The one place where a status becomes a split."""

from collections.abc import Mapping

from headgate.api.rollout import Delivery, KillSwitch, RolloutSpec
from headgate.api.rollout_status import Attempt, AttemptState, RolloutStatus, StableRef, VersionRef
from headgate.engine.observation import RolloutView, VersionView
from headgate.engine.plan import FrozenPayload, FrozenVersion, Plan
from headgate.engine.routing import ArmVersion, Payload, Routing, router_id, target_id


def desired(
    view: RolloutView, plan: Plan | None, versions: Mapping[str, VersionView]
) -> tuple[Routing | None, tuple[Delivery, ...]]:
    """The routing that the view's status asks for, and the deliveries that carry it.

    While the status knows no stable version the routing names what the spec asks for, so that routers can be read;
    None when not even that is known.
    """
    return routing_for(view, view.status, plan, versions), deliveries(view, view.status, plan)


def deliveries(view: RolloutView, status: RolloutStatus, plan: Plan | None) -> tuple[Delivery, ...]:
    """The routers of the attempt while there is one, else of the spec.

    Of an attempt whose manifest is gone the marks say which they are: no other is raised, and each is taken back.
    """
    if plan is not None and is_frozen(status.attempt):
        return tuple(_followed(delivery, status.stable) for delivery in plan.delivery)
    named = tuple(view.spec.routes()) if view.spec is not None else ()
    if view.marked is None or not is_frozen(status.attempt):
        return named
    marked = ids(view.marked)
    ours = tuple(delivery for delivery in named if router_id(delivery) in marked)
    if view.deleting or (status.attempt is not None and status.attempt.state is AttemptState.ROLLING_BACK):
        return united(ours, view.marked) or named
    return ours


def _followed(delivery: Delivery, stable: StableRef | None) -> Delivery:
    """A weight in stable's object is written by the API version that the object is read by: another may not be served.

    The router stays the same: its identity names a group and no version.
    """
    field, target = delivery.field, stable.target if stable is not None else None
    if field is None or field.target is None or target is None or target_id(field.target) != target_id(target):
        return delivery
    read = field.target.model_copy(update={"api_version": target.api_version})
    return delivery.model_copy(update={"field": field.model_copy(update={"target": read})})


def routing_for(
    view: RolloutView, status: RolloutStatus, plan: Plan | None, versions: Mapping[str, VersionView]
) -> Routing | None:
    """The split under that status."""
    stable = status.stable
    if stable is None:
        return _probe(view, versions)
    attempt = status.attempt
    kill = view.orders.kill_switch
    weight, shadow = split(status, plan)
    shown = attempt if attempt is not None and (weight or shadow) and kill is KillSwitch.OFF else None
    return Routing(
        namespace=view.namespace,
        rollout=view.name,
        uid=view.uid,
        revision=status.revision,
        attempt=attempt.number if attempt is not None else 0,
        stable=_arm(stable, plan.stable if plan else None, versions),
        candidate=_arm(shown.candidate, plan.candidate if plan else None, versions) if shown else None,
        weight=weight if shown else 0,
        shadow=shadow if shown else 0,
        stable_slot=stable.slot,
        kill=kill,
        held=_held(stable, attempt, versions),
    )


def split(status: RolloutStatus, plan: Plan | None) -> tuple[int, int]:
    """The candidate's share and the copied share under a status. Without a manifest an attempt keeps its weight."""
    attempt = status.attempt
    if attempt is None:
        return 0, 0
    match attempt.state:
        case AttemptState.VERIFYING | AttemptState.ROLLING_BACK | AttemptState.ENDED:
            return 0, 0
        case AttemptState.BAKING:
            return 100, 0
        case AttemptState.STEPPING:
            if plan is None or attempt.step is None:
                return status.weight, 0
            step = plan.steps[attempt.step.index]
            return step.exposure, step.shadow_share


def united(routes: tuple[Delivery, ...], leaving: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
    """Those routes, and the leaving ones that are not among them: they too are told of an attempt's end."""
    known = ids(routes)
    return (*routes, *(delivery for delivery in leaving if router_id(delivery) not in known))


def ids(routes: tuple[Delivery, ...]) -> frozenset[str]:
    """The identities of the routers behind deliveries."""
    return frozenset(router_id(delivery) for delivery in routes)


def is_frozen(attempt: Attempt | None) -> bool:
    """Whether an attempt is in flight whose manifest says how it is delivered, whatever the spec says now."""
    return attempt is not None and attempt.manifest is not None and attempt.state is not AttemptState.ENDED


def _probe(view: RolloutView, versions: Mapping[str, VersionView]) -> Routing | None:
    if view.spec is None:
        return None
    # A target holds one version, whatever it is called.
    name = view.spec.prompt.version if view.spec.prompt is not None else next(iter(versions), view.name)
    known = versions.get(name)
    stable = ArmVersion(name, known.digest if known else "", known.payload if known else None)
    revision, kill = view.status.revision, view.orders.kill_switch
    return Routing(view.namespace, view.name, view.uid, revision, 0, stable, None, kill=kill)


def _held(stable: StableRef, attempt: Attempt | None, versions: Mapping[str, VersionView]) -> str | None:
    """What a target holds, by those fields by which it is stable's content or the candidate's; None: it is not seen."""
    if stable.target is None:
        return None
    digests = [known.digest for known in versions.values()]
    wanted = (stable.digest, attempt.candidate.digest if attempt is not None else "")
    return next((digest for digest in wanted if digest in digests), digests[0] if digests else None)


def _arm(ref: VersionRef, frozen: FrozenVersion | None, versions: Mapping[str, VersionView]) -> ArmVersion:
    known = versions.get(ref.version)
    if known is not None and known.digest == ref.digest:
        return ArmVersion(ref.version, ref.digest, known.payload)
    if frozen is not None and frozen.digest == ref.digest and frozen.payload is not None:
        return ArmVersion(ref.version, ref.digest, _thawed(frozen.payload))
    return ArmVersion(ref.version, ref.digest)


def _thawed(payload: FrozenPayload) -> Payload:
    return Payload(payload.compiled, payload.model, payload.seed, payload.temperature)


def is_legacy(spec: RolloutSpec | None, switch: KillSwitch) -> bool:
    """Whether that switch puts anybody on the legacy path; only a flag has one, elsewhere it means stable."""
    has_one = spec is None or any(route.flag is not None for route in spec.routes())
    return switch is KillSwitch.LEGACY and has_one
