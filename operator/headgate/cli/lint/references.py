"""What Rollouts say of other objects: versions, gates and their args, and routers that two of them claim."""

from collections.abc import Iterator

from headgate.api.rollout import GateReference, RolloutSpec
from headgate.cli.lint.collection import Collection
from headgate.cli.lint.fields import closest
from headgate.cli.lint.finding import Finding
from headgate.cli.lint.resource import Resource
from headgate.engine.routing import router_id, target_id
from headgate.evidence.queries import missing_args

_ELSEWHERE = "it may be in the cluster already"


def reference_findings(collection: Collection) -> Iterator[Finding]:
    """Everything that is wrong, or not to be seen, between the given objects."""
    for rollout in collection.rollouts.values():
        yield from _version(collection, rollout)
        for path, reference in _references(rollout.spec):
            yield from _gate(collection, rollout, path, reference)
    yield from _claims(collection)


def _version(collection: Collection, rollout: Resource[RolloutSpec]) -> Iterator[Finding]:
    subject = rollout.spec.prompt
    if subject is None:
        return
    prompt = collection.prompts.get((rollout.namespace, subject.version))
    path = ("spec", "prompt", "version")
    if prompt is not None and prompt.spec.family != subject.family:
        what = f"PromptVersion {subject.version} is of the family {prompt.spec.family}, not {subject.family}"
        fix = f"name a version of {subject.family}"
        yield rollout.error(path, what, "a Rollout only moves within one family", fix)
    elif prompt is None and not collection.has("PromptVersion", (rollout.namespace, subject.version)):
        what = f"PromptVersion {subject.version} is not among the given files"
        yield rollout.warning(path, what, _ELSEWHERE, "lint its file too")


def _references(spec: RolloutSpec) -> Iterator[tuple[tuple[str | int, ...], GateReference]]:
    for index, reference in enumerate(spec.gates):
        yield ("spec", "gates", index), reference
    for number, step in enumerate(spec.steps):
        for index, reference in enumerate(step.gates):
            yield ("spec", "steps", number, "gates", index), reference


def _gate(
    collection: Collection, rollout: Resource[RolloutSpec], path: tuple[str | int, ...], reference: GateReference
) -> Iterator[Finding]:
    gate = collection.gates.get((rollout.namespace, reference.name))
    if gate is None:
        if not collection.has("QualityGate", (rollout.namespace, reference.name)):
            what = f"QualityGate {reference.name} is not among the given files"
            yield rollout.warning((*path, "name"), what, _ELSEWHERE, "lint its file too")
        return
    for name in missing_args(gate.spec, reference.args):
        what = f"the gate {reference.name} needs a value for {name}"
        yield rollout.error((*path, "args"), what, "its queries use it", f"add {name} to args")
    known = [parameter.name for parameter in gate.spec.parameters]
    for name in reference.args:
        if name not in known:
            meant = closest(name, known)
            fix = f"did you mean {meant}?" if meant else "remove it, or add it to the gate's parameters"
            what = f"the gate {reference.name} has no parameter {name}"
            yield rollout.error((*path, "args", name), what, "no query would use it", fix)


def _claims(collection: Collection) -> Iterator[Finding]:
    owners: dict[tuple[str | None, str], Resource[RolloutSpec]] = {}
    for rollout in collection.rollouts.values():
        target = rollout.spec.target
        if target is not None:
            owner = owners.setdefault((rollout.namespace, target_id(target)), rollout)
            if owner is not rollout:
                what = f"{target.kind} {target.name} is released by the Rollout {owner.name} already"
                place = f"in {owner.document.file}:{owner.document.line(('metadata', 'name'))}"
                fix = "declare all its fields in one Rollout"
                yield rollout.error(("spec", "target"), what, f"{place}; the older one keeps it", fix)
        for index, delivery in enumerate(rollout.spec.routes()):
            router = router_id(delivery)
            owner = owners.setdefault((rollout.namespace, router), rollout)
            if owner is not rollout:
                what = f"{router} is claimed by the Rollout {owner.name} already"
                place = f"in {owner.document.file}:{owner.document.line(('metadata', 'name'))}"
                fix = "give each its own flag or route"
                yield rollout.error(("spec", "delivery", index), what, f"{place}; the older one keeps it", fix)
