"""Whatever a declared field holds is taken back, byte for byte as the API server has it."""

from collections.abc import Iterator

import pytest

from headgate.local.control_plane import ControlPlane
from tests.controller.kube import Kube
from tests.controller.process import OperatorProcess
from tests.targets.widget import ALLOWED, Widget, crd, widget

NO_PROMETHEUS = "http://127.0.0.1:9"
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
    plane.api.install_crds([crd()])
    process = OperatorProcess(tmp_path_factory.mktemp("widgets"), plane.kubeconfig, NO_PROMETHEUS, targets=ALLOWED)
    process.start()
    yield process
    process.stop()


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
