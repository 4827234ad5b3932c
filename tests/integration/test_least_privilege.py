"""The operator as it is shipped: all namespaces, the rights of manifests/install.yaml, and not one refusal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.prometheus import PrometheusServer
from tests.integration import service_account
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.metrics import Application
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route, Router


@pytest.fixture
def refusals(server: Server) -> Iterator[list[str]]:
    """Filled at the end with what the operator asked for and must not have."""
    start = server.plane.audit_log.stat().st_size
    found: list[str] = []
    yield found
    with server.plane.audit_log.open() as log:
        log.seek(start)
        entries: list[Document] = [json.loads(line) for line in log]
    found += [
        f"{entry['verb']} {entry['requestURI']}"
        for entry in entries
        if entry["user"]["username"] == service_account.USER and entry.get("responseStatus", {}).get("code") == 403
    ]
    assert found == []


@pytest.fixture
def everywhere(
    tmp_path: Path, server: Server, operator_kubeconfig: Path, sources: list[Document], refusals: list[str]
) -> Iterator[OperatorProcess]:
    """An operator for all namespaces, as the manifest runs it."""
    service_account.allow_everywhere(server)
    operator = OperatorProcess(tmp_path, operator_kubeconfig, sources, None)
    operator.start()
    yield operator
    operator.stop()
    service_account.forbid_everywhere(server)
    assert operator.troubles() == []


def test_good_and_bad_releases_by_every_router_in_several_namespaces(
    server: Server, application: Application, prometheus: PrometheusServer, everywhere: OperatorProcess
) -> None:
    routers: dict[str, Router] = {
        "by-config-map": FlagInConfigMap(),
        "by-feature-flag": FlagInFeatureFlag(),
        "by-route": Route(),
    }
    releases = []
    for name, router in routers.items():
        release = Release(Namespace.made(server, name), application, prometheus)
        release.begins(router)
        releases.append(release)
    for release in releases:
        release.of("v2")
    for release in releases:
        release.ends_stable("v2")
        release.is_bad("v3")
        release.of("v3")
    for release in releases:
        release.ends_rolled_back("v3", stable="v2")
        release.namespace.delete("Rollout", "reply")


def test_events_conditions_and_metrics_are_there_too(
    server: Server, application: Application, prometheus: PrometheusServer, everywhere: OperatorProcess
) -> None:
    release = Release(Namespace.made(server, "what-people-see"), application, prometheus)
    release.begins()
    release.of("v2")
    release.ends_stable("v2")
    assert everywhere.metric("headgate_attempts_total", namespace="what-people-see", outcome="Promoted") == 1
    assert everywhere.metric("headgate_events_dropped_total") == 0
    assert release.namespace.condition("PromptVersion", "v2", "Ready")["status"] == "True"
    assert release.namespace.condition("QualityGate", "quality", "Ready")["status"] == "True"
    release.namespace.delete("Rollout", "reply")
