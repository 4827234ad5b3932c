"""A target, its restore and a Job after it, all with the rights of a tenant's account: a real API server with RBAC."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.local.control_plane import ControlPlane
from tests.aftermath.cron_jobs import cron_job
from tests.commands.subjects import GOOD, Target
from tests.integration import service_account
from tests.integration.cluster import Document, Namespace
from tests.integration.operator_process import OperatorProcess
from tests.integration.waiting import eventually
from tests.powers.accounts import grant, let_headgate_speak_as, user, writes
from tests.targets import inference_service

RIGHTS: list[Document] = [
    {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"], "verbs": ["patch"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]},
]
HELD: list[Document] = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]
SMOKE = {"name": "smoke", "job": {"cronJob": "smoke-evaluation"}}
TARGETS = [{"apiGroup": "serving.kserve.io", "resources": ["inferenceservices"]}]


@pytest.fixture
def operator(
    tmp_path: Path,
    control_plane: ControlPlane,
    namespace: Namespace,
    operator_kubeconfig: Path,
    sources: list[Document],
) -> Iterator[OperatorProcess]:
    control_plane.api.install_crds([inference_service.crd()])
    _allow_targets(namespace)
    service_account.allow_jobs_in(namespace)
    allowed = inference_service.ALLOWED
    started = OperatorProcess(tmp_path, operator_kubeconfig, sources, namespace.name, targets=allowed)
    started.begin()
    yield started
    started.stop()
    assert started.troubles() == []


def _allow_targets(namespace: Namespace) -> None:
    """Headgate reads the target and keeps its snapshots; the chart lets it patch it too, which nobody needs here."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "targets"}}
    rules = [
        {"apiGroups": ["serving.kserve.io"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["get", "list", "create", "delete"]},
    ]
    namespace.create({**role, "kind": "Role", "rules": rules})
    subject = {"kind": "ServiceAccount", "name": service_account.NAME, "namespace": service_account.HOME}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "targets"}
    namespace.create({**role, "kind": "RoleBinding", "roleRef": ref, "subjects": [subject]})


@pytest.mark.parametrize("constrained", [False, True], ids=["impersonate", "constrained"])
def test_a_target_is_taken_back_and_a_job_made_with_the_rights_of_the_tenants_account(
    namespace: Namespace, operator: OperatorProcess, *, constrained: bool
) -> None:
    start = namespace.server.plane.audit_log.stat().st_size
    grant(namespace, "deployer", RIGHTS)
    hooks = {"jobs": True}
    let_headgate_speak_as(namespace, "deployer", constrained=constrained, hooks=hooks, targets=TARGETS)
    subject = Target("reply")
    namespace.apply(cron_job(), *subject.surroundings(), manager="platform")
    spec = {"gates": [], "steps": HELD, "serviceAccountName": "deployer", "rollback": {"after": [SMOKE]}}
    subject.begin(namespace, "reply", **spec)
    namespace.wait("reply", lambda status: status["phase"] == "Idle" and bool(status["stable"]))
    subject.release(namespace, "reply")
    eventually(lambda: subject.weights(namespace), lambda seen: seen == [10])
    namespace.annotate("reply", abort="1")
    namespace.wait("reply", lambda status: status["phase"] == "RolledBack")
    assert (subject.released(namespace), subject.weights(namespace)) == (GOOD, [0])
    # A write is in the audit log only after it was answered.
    made = eventually(lambda: writes(namespace, start), lambda seen: "jobs" in {each.resource for each in seen})
    for resource in ("inferenceservices", "jobs"):
        assert {each.acting_as for each in made if each.resource == resource} == {user(namespace, "deployer")}
    own = [each for each in made if each.resource not in ("inferenceservices", "jobs")]
    assert {each.resource for each in own} >= {"rollouts/status", "configmaps", "controllerrevisions", "events"}
    assert {each.acting_as for each in own} == {""}
    assert [each for each in made if each.status == 403] == []
    # Whoever they were written as, what was put back is the platform's: it applies the next model without force.
    entries = namespace.get("InferenceService", "reply")["metadata"]["managedFields"]
    assert [each for each in entries if each["manager"] == "headgate"] == []
