"""An API server of these tests' own, for one of them stops it; an operator that listens for alerts; an attempt."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.api.crds import documents as crds
from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.alerts.operator_process import AlertedOperator
from tests.alerts.posts import ALERTS, Sender
from tests.controller import documents
from tests.controller.kube import Kube
from tests.controller.waiting import flag, is_stable, wait_for, weight_shown

TOKEN = "a-token-that-nobody-guesses"
ELSEWHERE = "another-token-that-nobody-guesses"
_NAMESPACES = [f"alerted-{number}" for number in range(1, 100)]
_names = iter(_NAMESPACES)

LONG_STEPS = [{"weight": 10, "holdFor": "1h"}, {"weight": 50, "holdFor": "1h"}, {"weight": 100}]
Begin = Callable[..., None]


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("alerted-plane"), rbac=False) as plane:
        plane.api.install_crds(crds())
        yield plane


@pytest.fixture(scope="session")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The token of the namespaces of these tests."""
    file = tmp_path_factory.mktemp("tokens") / "alert-token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory, plane: ControlPlane, token_file: Path
) -> Iterator[AlertedOperator]:
    other = token_file.with_name("other-token")
    other.write_text(ELSEWHERE)
    directory = tmp_path_factory.mktemp("operator")
    process = AlertedOperator(directory, plane.kubeconfig, {token_file: _NAMESPACES, other: ["elsewhere"]})
    process.start()
    yield process
    process.stop()
    assert process.troubles() == []


@pytest.fixture
def sender(operator: AlertedOperator) -> Sender:
    return Sender(operator.url, TOKEN)


@pytest.fixture
def kube(plane: ControlPlane) -> Kube:
    """A namespace of the test's own, which the token is bound to."""
    return Kube(plane, next(_names))


@pytest.fixture
def begin(kube: Kube, operator: AlertedOperator) -> Begin:
    """Begins an attempt of v2 that would stay at 10 % for an hour, and that no gate judges."""

    def attempt(**changes: object) -> None:
        spec: dict[str, Any] = {"gates": [], "steps": LONG_STEPS, "rollback": {"alerts": ALERTS}, **changes}
        for version in ("v1", "v2", "v3"):
            kube.apply(documents.version(version))
        kube.apply(documents.rollout("v1", **spec))
        wait_for(kube, is_stable("v1"))
        kube.apply(documents.rollout("v2", **spec))
        wait_until(
            lambda: "reply-flags" in kube.names("ConfigMap") and weight_shown(kube) == 10,
            timeout=20,
            otherwise=lambda: str(flag(kube)),
        )

    return attempt
