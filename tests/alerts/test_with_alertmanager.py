"""The whole way, on real parts: a metric, a Prometheus rule, Alertmanager, the operator, the spec back at stable."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.local import loopback
from headgate.local.alertmanager import AlertmanagerServer
from headgate.local.control_plane import ControlPlane
from headgate.local.prometheus import PrometheusServer
from headgate.local.waiting import wait_until
from tests.alerts.conftest import Begin
from tests.alerts.operator_process import AlertedOperator
from tests.controller.exporter import Quality
from tests.controller.kube import Kube
from tests.controller.waiting import has_weight, wait_for, weight_shown

RULES = {
    "groups": [
        {
            "name": "ranker",
            "rules": [
                {
                    "alert": "RankerBurningBudget",
                    "expr": "answer_errors > 50",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $labels.app }}: {{ $value }} errors"},
                }
            ],
        }
    ]
}


@dataclass(frozen=True)
class Watchmen:
    """Everything between a metric and a post."""

    quality: Quality
    prometheus: PrometheusServer
    alertmanager: AlertmanagerServer


@pytest.fixture(scope="module")
def watchmen(
    tmp_path_factory: pytest.TempPathFactory, operator: AlertedOperator, token_file: Path
) -> Iterator[Watchmen]:
    quality = Quality()
    with AlertmanagerServer(tmp_path_factory.mktemp("alertmanager"), operator.url, token_file) as alertmanager:
        prometheus = PrometheusServer(
            tmp_path_factory.mktemp("prometheus"),
            {"app": [quality.address]},
            scrape_interval="250ms",
            rules=yaml.safe_dump(RULES),
            alertmanager=alertmanager.address,
        )
        with prometheus:
            yield Watchmen(quality, prometheus, alertmanager)
    quality.close()


def asking(kube: Kube) -> dict[str, Any]:
    """A Rollout's wish to hear of its own application's alerts."""
    return {"alerts": [{"match": {"alertname": "RankerBurningBudget", "severity": "critical", "app": kube.namespace}}]}


def test_an_alert_takes_the_release_back_and_leaves_another_one_alone(
    plane: ControlPlane, kube: Kube, begin: Begin, watchmen: Watchmen, operator: AlertedOperator
) -> None:
    watchmen.quality.set(kube.namespace, "v2", 1)
    begin(rollback=asking(kube))
    measured = operator.metric("headgate_alert_to_revert_seconds_count")
    watchmen.quality.set(kube.namespace, "v2", 99)
    status = wait_for(kube, lambda found: found["phase"] == "RolledBack", timeout=60)
    said = f"alert: RankerBurningBudget severity=critical: {kube.namespace}: 99 errors"
    assert status["rejected"][0]["reason"] == said
    assert weight_shown(kube) == 0
    assert operator.metric("headgate_alert_to_revert_seconds_count") == measured + 1
    assert kube.get("Rollout", "reply")["spec"]["prompt"]["version"] == "v1"
    # It goes on firing; the next attempt began after it did.
    kube.patch("Rollout", "reply", {"spec": {"prompt": {"version": "v3"}}})
    wait_for(kube, has_weight(10))
    received = operator.metric("headgate_alert_posts_total", outcome="Stored")
    watchmen.quality.set(kube.namespace, "v2", 1)
    # The group is sent once more, as resolved.
    wait_until(
        lambda: operator.metric("headgate_alert_posts_total", outcome="Stored") > received,
        timeout=60,
        otherwise=lambda: "nothing was sent",
    )
    assert kube.get("Rollout", "reply")["status"]["weight"] == 10


def test_an_alert_that_comes_while_the_api_server_is_away_is_delivered_when_it_is_back(
    plane: ControlPlane, kube: Kube, begin: Begin, watchmen: Watchmen, operator: AlertedOperator
) -> None:
    begin(rollback=asking(kube))
    refused = operator.metric("headgate_alert_posts_total", outcome="NotStored")
    plane.kill_api_server()
    try:
        watchmen.quality.set(kube.namespace, "v2", 99)
        wait_until(
            lambda: operator.metric("headgate_alert_posts_total", outcome="NotStored") > refused,
            timeout=60,
            otherwise=lambda: "no post was refused",
        )
    finally:
        plane.restart_api_server()
    wait_for(kube, lambda found: found["phase"] == "RolledBack", timeout=90)
    assert weight_shown(kube) == 0
    watchmen.quality.set(kube.namespace, "v2", 1)


def test_a_rotated_token_is_taken_up_by_both_sides(
    kube: Kube, begin: Begin, watchmen: Watchmen, token_file: Path
) -> None:
    begin(rollback=asking(kube))
    before = token_file.read_text()
    try:
        token_file.write_text("another-token-that-came-by-rotation\n")
        watchmen.quality.set(kube.namespace, "v2", 99)
        wait_for(kube, lambda found: found["phase"] == "RolledBack", timeout=60)
    finally:
        token_file.write_text(before)
    watchmen.quality.set(kube.namespace, "v2", 1)


def test_an_alert_that_alertmanager_knows_already_is_sent_while_prometheus_is_down(
    kube: Kube, begin: Begin, watchmen: Watchmen
) -> None:
    begin(rollback=asking(kube), gates=[])
    watchmen.prometheus.stop()
    try:
        kube.patch("Rollout", "reply", {"spec": {"paused": True}})
        body = [
            {
                "labels": {"alertname": "RankerBurningBudget", "severity": "critical", "app": kube.namespace},
                "annotations": {"summary": "told by somebody else"},
            }
        ]
        answer = _tell(watchmen.alertmanager, body)
        assert answer == 200
        wait_for(kube, lambda found: found["phase"] == "RolledBack", timeout=60)
    finally:
        watchmen.prometheus.start()


def _tell(alertmanager: AlertmanagerServer, alerts: list[dict[str, Any]]) -> int:
    url, body = f"{alertmanager.url}/api/v2/alerts", json.dumps(alerts)
    return loopback.request("POST", url, body=body, content_type="application/json").status_code
