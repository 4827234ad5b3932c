"""What a Rollout may say and seldom means."""

from collections.abc import Iterator

from headgate.api.quantities import seconds
from headgate.api.rollout import RolloutSpec
from headgate.cli.lint.collection import Collection
from headgate.cli.lint.finding import Finding
from headgate.cli.lint.resource import Resource


def rollout_findings(collection: Collection, rollout: Resource[RolloutSpec]) -> Iterator[Finding]:
    """Warnings about steps that nothing judges, and about holds too short to be judged in."""
    if not rollout.spec.references():
        what = "no gate judges this Rollout"
        yield rollout.warning(("spec", "steps"), what, "every step passes when its hold is over", "add gates")
    everywhere = [gate.name for gate in rollout.spec.gates]
    for index, step in enumerate(rollout.spec.steps):
        names = (everywhere if step.is_judged else []) + [gate.name for gate in step.gates]
        for name in names:
            gate = collection.gates.get((rollout.namespace, name))
            if gate is None or step.hold_for is None or seconds(step.hold_for) >= seconds(gate.spec.period):
                continue
            what = f"step {step.label}: holdFor {step.hold_for} is shorter than the period {gate.spec.period} of {name}"
            path = ("spec", "steps", index, "holdFor")
            yield rollout.warning(path, what, "it is left after one look", "hold for several periods")
