"""Whatever a declared field holds is taken back, byte for byte as the API server has it."""

from collections.abc import Iterator

import pytest

from headgate.local.control_plane import ControlPlane
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.widget import Widget, operating, rollout, widget

VALUES = {
    "a small number": 0.00001,
    "a large number": 1e21,
    "a number beyond 64 bits": 12345678901234567890,
    "a query": "s3://models/ranker?region=eu&version=<2>",
    "other scripts": "Größe 漢字 😀\u2028",
    "control characters": 'a\u0001\u0008\t"\\/',
    "nothing": None,
    "an empty map": {},
    "an empty list": [],
    "a nest": {"a/b": [None, {"c~d": [{}, 0.25, "é"]}], "": False, "é": 0},
}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory, plane: ControlPlane) -> Iterator[OperatorProcess]:
    yield from operating(tmp_path_factory.mktemp("widgets"), plane)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("odd", ["good", "bad"])
def test_it_is_taken_back(kube: Kube, value: object, odd: str) -> None:
    good, bad = (value, "plain") if odd == "good" else ("plain", value)
    ours = Widget(kube)
    ours.begin(widget(model=good), "spec.model")
    before = kube.get("Widget", "widget")
    # As kubectl replace does it: a merge patch cannot write null.
    kube.put("Widget", "widget", {**before, "spec": {**before["spec"], "model": bad}})
    ours.wait_for_weight(10)
    ours.abort()
    assert ours.spec == before["spec"]


@pytest.mark.usefixtures("operator")
def test_what_would_be_three_times_as_long_with_escapes_is_kept_and_taken_back(kube: Kube) -> None:
    smiles = "😀" * 230_000
    ours = Widget(kube)
    kube.create(widget(model=smiles), manager="git")
    kube.apply(rollout("spec.model"))
    ours.wait_for(lambda found: found["phase"] == "Idle" and found["stable"])
    ours.wait_for_weight(0)
    ours.edit(model="plain")
    ours.wait_for_weight(10)
    ours.abort()
    assert ours.spec["model"] == smiles


@pytest.mark.usefixtures("operator")
def test_whoever_owns_nothing_but_the_declared_field_applies_the_next_one_without_force(kube: Kube) -> None:
    ours = Widget(kube)
    ours.begin(widget(model="one"), "spec.model")
    kube.apply(widget(model="two"), manager="git")
    ours.wait_for_weight(10)
    ours.abort()
    # The API server keeps a list of owners that somebody empties.
    kube.apply(widget(model="three"), manager="git")
    ours.wait_for_weight(10)
    assert ours.spec["model"] == "three"


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("instead", ["text", [1], 3])
def test_what_is_not_declared_is_not_overwritten_to_put_a_field_back(kube: Kube, instead: object) -> None:
    ours = Widget(kube)
    ours.begin(widget(model={"name": "one"}), "spec.model.name")
    ours.edit(model=instead)
    ours.wait_for_weight(10)
    kube.annotate("widget", abort="1")
    assert "spec.model holds no object any more" in ours.stalled("RestoreRefused")
    assert ours.spec == {"model": instead, "weight": 0}
    # A merge patch makes an object of it.
    ours.edit(model={"name": "two"})
    ours.wait_for(lambda found: found["attempts"] == 2 and found["weight"] == 10, timeout=60)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("change", [{"digest": "sha256:0"}, {"fields": {"spec.model": {"value": "evil"}}}])
def test_a_snapshot_that_is_not_what_it_claims_to_be_is_refused(kube: Kube, change: dict[str, object]) -> None:
    ours = Widget(kube)
    ours.begin(widget(model="one"), "spec.model")
    ours.edit(model="two")
    ours.wait_for_weight(10)
    name = ours.status["stable"]["version"]
    kept = kube.get("ControllerRevision", name)
    kube.delete("ControllerRevision", name)
    metadata = {"name": name, "labels": kept["metadata"]["labels"]}
    kube.apply({**kept, "metadata": metadata, "data": {**kept["data"], **change}})
    kube.annotate("widget", abort="1")
    assert name in ours.stalled("SnapshotTampered")
    assert ours.spec == {"model": "two", "weight": 0}


@pytest.mark.usefixtures("operator")
def test_nothing_is_tried_without_a_snapshot_to_go_back_to(kube: Kube) -> None:
    ours = Widget(kube)
    ours.begin(widget(model="one"), "spec.model")
    name = ours.status["stable"]["version"]
    kube.delete("ControllerRevision", name)
    ours.edit(model="two")
    assert name in ours.stalled("SnapshotGone")
    assert (ours.spec["weight"], ours.status["attempts"]) == (0, 0)
    # What is stable is kept again as soon as it is there.
    ours.edit(model="one")
    ours.wait_for(lambda _: name in kube.names("ControllerRevision"))
    ours.edit(model="two")
    ours.wait_for_weight(10)
    ours.abort()
    assert ours.spec["model"] == "one"
