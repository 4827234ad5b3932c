"""How long an alert takes from its arrival until everybody is back on stable, as a watcher of the flag sees it."""

import json
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.alerts.conftest import LONG_STEPS, Begin
from tests.alerts.operator_process import AlertedOperator
from tests.alerts.posts import ALERTS, Sender
from tests.controller import documents
from tests.controller.kube import Kube
from tests.controller.waiting import wait_for

RUNS = 30
BUDGET = 0.15


class Watched:
    """When the flag's document showed each weight, on this process's clock."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        certificates = plane.api.certificates
        session = requests.Session()
        session.trust_env = False
        session.verify = str(certificates.authority)
        session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))
        url = f"{plane.url}/api/v1/namespaces/{namespace}/configmaps?watch=1&fieldSelector=metadata.name%3Dreply-flags"
        self._stream = session.get(url, stream=True, timeout=(5, 300))
        self._session = session
        self.seen: list[tuple[float, int]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._stream.iter_lines(chunk_size=None):
                at, flags = time.monotonic(), json.loads(json.loads(line)["object"]["data"]["flags.json"])["flags"]
                self.seen.append((at, int(flags["reply"]["metadata"]["headgate.dev/weight"])))
        except (requests.RequestException, AttributeError, ValueError):
            return  # it was closed

    def close(self) -> None:
        self._stream.close()
        self._session.close()

    def shows(self, weight: int) -> bool:
        return bool(self.seen) and self.seen[-1][1] == weight


@pytest.fixture
def watched(plane: ControlPlane, kube: Kube, begin: Begin) -> Iterator[Watched]:
    begin()
    watching = Watched(plane, kube.namespace)
    yield watching
    watching.close()


def test_an_alert_takes_everybody_back_within_its_budget(
    kube: Kube, operator: AlertedOperator, sender: Sender, watched: Watched
) -> None:
    answered, at_zero = [], []
    for run in range(RUNS):
        wait_until(lambda: watched.shows(10), timeout=20, otherwise=lambda: str(watched.seen[-3:]))
        sent = time.monotonic()
        assert sender.fire() == 200
        answered.append(time.monotonic() - sent)
        wait_until(lambda: watched.shows(0), timeout=20, otherwise=lambda: str(watched.seen[-3:]))
        at_zero.append(watched.seen[-1][0] - sent)
        wait_for(kube, lambda found: found["phase"] == "RolledBack")
        kube.apply(documents.version(f"w{run}"))
        spec: dict[str, Any] = {"gates": [], "steps": LONG_STEPS, "rollback": {"alerts": ALERTS}}
        kube.apply(documents.rollout(f"w{run}", **spec))
    told = [f"{1000 * part:.0f} ms" for part in (statistics.median(answered), statistics.median(at_zero), max(at_zero))]
    print(f"alert → stored, median {told[0]}; alert → everybody at stable, median {told[1]}, most {told[2]}")  # noqa: T201
    assert operator.metric("headgate_alert_to_revert_seconds_count") >= RUNS
    assert statistics.median(at_zero) <= BUDGET
