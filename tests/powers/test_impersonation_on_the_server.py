"""A real API server with RBAC: what headgate writes as a tenant's account, with exactly that account's rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headgate.cluster.client import Client
from headgate.cluster.credentials import credentials
from headgate.cluster.objects import CONFIG_MAP, HTTP_ROUTE, Forbidden, Json, Kind, Refused
from tests.integration import resources
from tests.integration.cluster import Document, Namespace, Server
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.routers import FlagInConfigMap, FlagInFeatureFlag, Route
from tests.powers.accounts import FLAGS, ROUTES, grant, let_headgate_speak_as, reads, revoke, user, writes

ROUTERS = ("configmaps", "httproutes", "featureflags")
HELD: list[Document] = [{"weight": 10, "holdFor": "1h"}, {"weight": 100}]


@pytest.fixture
def operator(
    tmp_path: Path, namespace: Namespace, operator_kubeconfig: Path, sources: list[Document]
) -> Iterator[OperatorProcess]:
    started = OperatorProcess(tmp_path, operator_kubeconfig, sources, namespace.name)
    started.begin()
    yield started
    started.stop()
    assert started.troubles() == []


@pytest.fixture
def start(server: Server) -> int:
    return server.plane.audit_log.stat().st_size


def stalled(namespace: Namespace, reason: str) -> str:
    """The message, once the Rollout is stalled for that reason."""

    status = namespace.wait("reply", lambda status: _stalled(status).get("reason") == reason)
    return str(_stalled(status)["message"])


def _stalled(status: Document) -> Document:
    return next((each for each in status.get("conditions", []) if each["type"] == "Stalled"), {})


@pytest.mark.parametrize(
    "router", [FlagInConfigMap(), FlagInFeatureFlag(), Route()], ids=["configMap", "flag", "route"]
)
def test_a_bad_release_is_taken_back_with_the_rights_of_the_tenants_account(
    namespace: Namespace, release: Release, operator: OperatorProcess, start: int, router: Route
) -> None:
    grant(namespace, "deployer", ROUTES)
    let_headgate_speak_as(namespace, "deployer")
    release.begins(router, serviceAccountName="deployer")
    release.is_bad("v2")
    release.of("v2", serviceAccountName="deployer")
    release.ends_rolled_back("v2", stable="v1")
    made = writes(namespace, start)
    own = {"reply-record", *(f"{version}-compiled" for version in ("v1", "v2", "v3"))}
    routers = [
        each for each in made if each.resource in ROUTERS and each.name not in own and "-attempt-" not in each.name
    ]
    assert {each.acting_as for each in routers} == {user(namespace, "deployer")}
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{namespace.name}", "system:authenticated"}
    assert {each.groups for each in routers} == {frozenset(groups)}
    rest = [each for each in made if each not in routers]
    assert {each.resource for each in rest} >= {"rollouts", "rollouts/status", "events", "configmaps"}
    assert {each.acting_as for each in rest} == {""}
    assert {each.acting_as for each in reads(namespace, start)} == {""}
    assert [each for each in made if each.status == 403] == []


def test_an_account_without_rights_holds_its_own_rollout_alone_until_it_has_them(
    namespace: Namespace, release: Release, operator: OperatorProcess, start: int
) -> None:
    grant(namespace, "deployer", FLAGS)
    let_headgate_speak_as(namespace, "deployer")
    release.begins(serviceAccountName="deployer")
    revoke(namespace, "deployer")
    release.of("v2", serviceAccountName="deployer", steps=HELD)
    message = stalled(namespace, "AccountForbidden")
    assert f'User "{user(namespace, "deployer")}" cannot patch resource "configmaps"' in message
    assert "give ServiceAccount" in message
    assert release.router.shares(namespace) == {"v1": 100}
    other = resources.rollout(
        "v2", app=release.app, name="other", delivery=[resources.flag_delivery("other", "others")]
    )
    namespace.apply(other)
    namespace.wait(
        "other", lambda status: status.get("stable", {}).get("version") == "v2" and status["phase"] == "Idle"
    )
    grant(namespace, "deployer", FLAGS)
    namespace.wait("reply", lambda status: status["phase"] == "Progressing" and status["weight"] == 10)
    assert release.router.shares(namespace) == {"v1": 90, "v2": 10}


def test_headgate_may_speak_as_nobody_unless_it_is_let(
    namespace: Namespace, release: Release, operator: OperatorProcess
) -> None:
    grant(namespace, "deployer", FLAGS)
    release.of("v1", serviceAccountName="deployer")
    message = stalled(namespace, "AccountForbidden")
    # One of two rights is missing, and which one the server names is its own affair.
    assert 'User "system:serviceaccount:headgate:headgate" cannot impersonate' in message
    assert "the chart's value impersonation" in message
    assert namespace.find("ConfigMap", "flags") == {}
    let_headgate_speak_as(namespace, "deployer")
    release.is_shown(v1=100)
    namespace.wait("reply", lambda status: _stalled(status)["status"] == "False")


async def test_an_account_has_its_own_rights_and_none_of_headgates(
    namespace: Namespace, operator_kubeconfig: Path
) -> None:
    grant(namespace, "deployer", FLAGS)
    let_headgate_speak_as(namespace, "deployer")
    namespace.apply(resources.route())
    client = Client(await credentials(operator_kubeconfig))
    try:
        acting = client.acting_as(namespace.name, "deployer")
        made = await acting.create(CONFIG_MAP, namespace.name, {"metadata": {"name": "mine"}, "data": {}})
        assert made["kind"] == "ConfigMap"
        patch: list[Json] = [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]
        with pytest.raises(Forbidden, match='cannot patch resource "httproutes"'):
            await acting.json_patch(HTTP_ROUTE, namespace.name, "reply", patch)
        await client.json_patch(HTTP_ROUTE, namespace.name, "reply", patch)
        with pytest.raises(Forbidden, match="cannot impersonate"):
            await client.acting_as(namespace.name, "another").create(
                CONFIG_MAP, namespace.name, {"metadata": {"name": "theirs"}}
            )
        with pytest.raises(Forbidden, match="cannot impersonate"):
            await client.acting_as("kube-system", "deployer").create(
                CONFIG_MAP, namespace.name, {"metadata": {"name": "theirs"}}
            )
    finally:
        await client.close()


@pytest.mark.parametrize("constrained", [False, True], ids=["impersonate", "constrained"])
async def test_what_a_stolen_token_of_the_operators_may_do_as_an_account(
    namespace: Namespace, operator_kubeconfig: Path, *, constrained: bool
) -> None:
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
    grant(namespace, "deployer", [*FLAGS, pods])
    let_headgate_speak_as(namespace, "deployer", constrained=constrained)
    client = Client(await credentials(operator_kubeconfig))
    pod: Json = {
        "metadata": {"name": "shell"},
        "spec": {"containers": [{"name": "shell", "image": "shell"}], "automountServiceAccountToken": False},
    }
    try:
        acting = client.acting_as(namespace.name, "deployer")
        await acting.create(CONFIG_MAP, namespace.name, {"metadata": {"name": "flags"}})
        running = acting.create(Kind("", "v1", "pods", "Pod"), namespace.name, pod)
        if constrained:
            with pytest.raises(Forbidden, match="cannot impersonate"):
                await running
        else:
            await running
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("where", "name"),
    [("ai", ""), ("", "deployer"), ("ai", "a:b"), ("ai", "admin\r\nImpersonate-Group: system:masters"), ("a/b", "x")],
)
async def test_what_is_no_accounts_name_is_refused_before_anything_is_sent(
    operator_kubeconfig: Path, where: str, name: str
) -> None:
    client = Client(await credentials(operator_kubeconfig))
    try:
        with pytest.raises(Refused, match="no ServiceAccount's name"):
            client.acting_as(where, name)
    finally:
        await client.close()


@pytest.mark.parametrize("name", ["", "Deployer", "system:masters", "../x", "a" * 300])
def test_the_api_server_takes_no_such_name_either(namespace: Namespace, release: Release, name: str) -> None:
    with pytest.raises(Exception, match="serviceAccountName"):
        release.of("v1", serviceAccountName=name)


def test_where_an_account_is_required_a_rollout_without_one_writes_nothing(
    tmp_path: Path,
    namespace: Namespace,
    release: Release,
    operator_kubeconfig: Path,
    sources: list[Document],
    start: int,
) -> None:
    operator = OperatorProcess(tmp_path, operator_kubeconfig, sources, namespace.name, requireServiceAccountName=True)
    operator.start()
    try:
        release.of("v1")
        message = stalled(namespace, "ServiceAccountRequired")
        assert "spec.serviceAccountName" in message
        assert namespace.find("ConfigMap", "flags") == {}
        grant(namespace, "deployer", FLAGS)
        let_headgate_speak_as(namespace, "deployer")
        release.begins(serviceAccountName="deployer")
    finally:
        operator.stop()
    assert {each.acting_as for each in writes(namespace, start) if each.name == "flags"} == {
        user(namespace, "deployer")
    }
