"""An alert that reaches the replica that does not decide is acted upon by the one that does."""

from pathlib import Path

from headgate.local import processes
from headgate.local.waiting import wait_until
from tests.alerts.posts import ALERTS, Sender
from tests.controller import documents
from tests.controller.kube import Kube
from tests.controller.waiting import wait_for, weight_shown
from tests.replicas.audit import Audit
from tests.replicas.installation import NAMES, Installation
from tests.replicas.replica import ReplicaProcess

TOKEN = "a-token-that-nobody-guesses"


def test_an_alert_that_a_standby_receives_takes_the_candidate_back(
    tmp_path: Path,
    leader: ReplicaProcess,
    app: str,
    kube: Kube,
    audit: Audit,
    installation: Installation,
    prometheus: str,
    replicas: list[ReplicaProcess],
) -> None:
    token, listen = tmp_path / "token", f"127.0.0.1:{processes.free_port()}"
    token.write_text(TOKEN)
    alerts = {"listen": listen, "tokens": [{"file": str(token), "namespaces": [kube.namespace]}]}
    standby = ReplicaProcess(tmp_path, NAMES[1], installation.kubeconfigs[NAMES[1]], prometheus, alerts=alerts)
    replicas.append(standby)
    standby.start("standby")
    long = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]
    kube.apply(documents.rollout("v2", steps=long, rollback={"alerts": ALERTS}))
    wait_until(lambda: weight_shown(kube) == 10, timeout=15, otherwise=lambda: str(weight_shown(kube)))
    assert Sender(f"http://{listen}/alerts", TOKEN).fire() == 200
    wait_for(kube, lambda found: found["phase"] == "RolledBack")
    assert weight_shown(kube) == 0
    assert standby.ready() == (200, "standby")
    # It stored the alert, and nothing else.
    assert {(write.resource, write.verb) for write in audit.writes_by(standby.user)} == {("rollouts", "patch")}
    assert len(audit.writes_by(standby.user)) == 1
