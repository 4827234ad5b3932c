"""An object that nobody can make sense of, or that is as large as objects get, stalls itself alone."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path

import pytest

from headgate.api.crds import documents
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from tests.integration import resources
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.metrics import Application
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.waiting import eventually

MIB = 1024 * 1024
HOSTILE_SPECS: dict[str, object] = {
    "empty": {},
    "a-list-of-steps-that-is-text": {"prompt": {"family": "f", "version": "v"}, "steps": "all of them"},
    "numbers-everywhere": {"prompt": 7, "delivery": 8, "steps": 9, "gates": 10, "paused": 11},
    "a-path-for-a-name": {
        "prompt": {"family": "f", "version": "../../secrets/x"},
        "delivery": [resources.flag_delivery("..%2f..", "a?b#c")],
        "steps": [{"weight": 100}],
    },
    "large": {"prompt": {"family": "f", "version": "v"}, "junk": "x" * (MIB - 1000)},
}


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An API server whose CRDs take anything."""
    with ControlPlane(tmp_path_factory.mktemp("lenient"), rbac=False) as plane:
        plane.api.install_crds(_lenient(document) for document in documents())
        server = Server(plane)
        yield server
        server.close()


class TestWithoutAdmission:
    """Objects that were stored before the present CRDs, which would refuse them."""

    @pytest.fixture
    def namespace(self, lenient: Server) -> Namespace:
        return Namespace.made(lenient, "hostile")

    @pytest.fixture
    def operator(self, tmp_path: Path, lenient: Server, sources: list[Document]) -> Iterator[OperatorProcess]:
        process = OperatorProcess(tmp_path, lenient.plane.kubeconfig, sources, None)
        yield process
        process.stop()

    def test_a_healthy_release_goes_through_beside_them_before_and_after_a_restart(
        self, namespace: Namespace, operator: OperatorProcess, application: Application, prometheus: PrometheusServer
    ) -> None:
        for document in _hostile_objects():
            namespace.create(document)
        _spoil_status(namespace, "empty")
        operator.start()
        release = Release(namespace, application, prometheus)
        release.begins()
        release.of("v2")
        release.ends_stable("v2")
        operator.kill()
        operator.start()
        release.of("v3")
        release.ends_stable("v3")
        for name in HOSTILE_SPECS:
            look = partial(namespace.condition, "Rollout", name, "Stalled")
            stalled = eventually(look, lambda seen: seen["status"] == "True")
            assert "\n" not in stalled["message"]
            assert 10 < len(stalled["message"]) < 1000
        for kind in ("QualityGate", "PromptVersion"):
            look = partial(namespace.condition, kind, "nonsense", "Ready")
            ready = eventually(look, lambda seen: seen["status"] == "False")
            assert ready["message"].startswith("spec")
        assert namespace.get("Rollout", "large")["spec"] == HOSTILE_SPECS["large"]
        assert operator.troubles() == []


class TestAdmitted:
    """Objects that every API server takes."""

    def test_a_document_of_almost_a_mebibyte_is_never_raised_in_and_its_neighbour_is_released(
        self, operator: OperatorProcess, release: Release
    ) -> None:
        padding = json.dumps({"flags": {}, "metadata": {"padding": "x" * (MIB - 2000)}})
        large = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "large"},
            "data": {"flags.json": padding},
        }
        release.namespace.create(large)
        delivery = [resources.flag_delivery("other", "large")]
        release.namespace.apply(resources.rollout("v1", app=release.app, name="other", delivery=delivery))
        release.namespace.wait("other", lambda status: status["stable"]["version"] == "v1")
        release.namespace.apply(resources.rollout("v2", app=release.app, name="other", delivery=delivery))
        release.begins()
        release.of("v2")
        release.ends_stable("v2")
        eventually(
            lambda: release.namespace.condition("Rollout", "other", "Ready"), lambda seen: "900 KiB" in seen["message"]
        )

    def test_a_prompt_that_no_config_map_can_hold_is_refused_by_name(
        self, operator: OperatorProcess, release: Release
    ) -> None:
        version = resources.version("huge")
        version["spec"]["messages"] = [{"role": "user", "content": "x" * 199_000} for _ in range(6)]
        release.namespace.create(version)
        ready = eventually(
            lambda: release.namespace.condition("PromptVersion", "huge", "Ready"),
            lambda seen: seen["status"] == "False",
        )
        assert len(ready["message"]) < 2100
        release.begins()
        release.of("huge")
        eventually(
            lambda: release.namespace.condition("Rollout", "reply", "Stalled"),
            lambda seen: "PromptVersion 'huge'" in seen["message"],
        )
        release.of("v2")
        release.ends_stable("v2")

    @pytest.mark.parametrize("restart", [False, True], ids=["while-it-runs", "before-it-starts"])
    def test_a_flag_that_is_nested_ten_thousand_deep_ends_nothing(
        self, operator: OperatorProcess, release: Release, restart: bool
    ) -> None:
        release.begins()
        path = release.namespace.path("FeatureFlag")
        nested = '{"!":[' * 4900 + "true" + "]}" * 4900
        flag = f'{{"state":"ENABLED","defaultVariant":"a","variants":{{"a":1}},"targeting":{nested}}}'
        body = (
            '{"apiVersion":"core.openfeature.dev/v1beta1","kind":"FeatureFlag","metadata":{"name":"deep"},'
            f'"spec":{{"flagSpec":{{"flags":{{"deep":{flag}}}}}}}}}'
        )
        release.namespace.server.post_unread(path, body)
        release.namespace.create(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "deep", "labels": {"headgate.dev/watch": "true"}},
                "data": {"flags.json": f'{{"flags":{{"deep":{flag}}}}}'},
            }
        )
        if restart:
            operator.kill()
            operator.start()
        release.of("v2")
        release.ends_stable("v2")
        assert operator.is_running

    def test_annotations_full_of_nonsense_are_nobodys_wish(self, operator: OperatorProcess, release: Release) -> None:
        release.begins()
        release.of("v2", steps=resources.ONE_LONG_STEP)
        release.is_shown(v1=90, v2=10)
        for word in ("abort", "approve", "promote", "resume", "retry"):
            release.namespace.annotate("reply", **{word: "1" * 30_000})
        release.namespace.annotate("reply", abort="-1", promote="1e0", retry="\u0661")
        release.namespace.annotate("reply", abort=None, promote="1")
        release.ends_stable("v2")


def _hostile_objects() -> Iterator[Document]:
    for name, spec in HOSTILE_SPECS.items():
        yield {"apiVersion": resources.API, "kind": "Rollout", "metadata": {"name": name}, "spec": spec}
    for kind in ("QualityGate", "PromptVersion"):
        yield {"apiVersion": resources.API, "kind": kind, "metadata": {"name": "nonsense"}, "spec": {"checks": "none"}}
        large = {"junk": ["x" * 1000 for _ in range(1000)]}
        yield {"apiVersion": resources.API, "kind": kind, "metadata": {"name": "large"}, "spec": large}


def _spoil_status(namespace: Namespace, rollout: str) -> None:
    """A status that no operator wrote."""
    path = f"{namespace.path('Rollout', rollout)}/status"
    spoiled = {"status": {"stable": 7, "attempt": ["x"], "conditions": "fine"}}
    namespace.server.send("PATCH", path, spoiled, "application/merge-patch+json")


def _lenient(crd: Document) -> Document:
    """The CRD as an early release might have had it."""
    lenient = deepcopy(crd)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = lenient["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"] = {"spec": anything, "status": anything}
    del schema["required"]
    return lenient
