"""A real API server starts, audits, authorises and ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from headgate.local import gateway_api, processes
from headgate.local.control_plane import ControlPlane
from headgate.local.errors import LocalError
from headgate.local.waiting import wait_until


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as started:
        yield started


def core(kubeconfig: Path) -> client.CoreV1Api:
    return client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))


@pytest.fixture
def administrator(control_plane: ControlPlane) -> Iterator[client.CoreV1Api]:
    api = core(control_plane.kubeconfig)
    yield api
    api.api_client.close()


def named(name: str) -> client.V1ObjectMeta:
    return client.V1ObjectMeta(name=name)


def status_of(error: pytest.ExceptionInfo[client.ApiException]) -> int:
    return int(error.value.status)


def test_the_kubeconfig_lets_a_client_write_and_read(administrator: client.CoreV1Api) -> None:
    written = client.V1ConfigMap(metadata=named("kept"), data={"answer": "42"})
    administrator.create_namespaced_config_map("default", written)
    assert administrator.read_namespaced_config_map("kept", "default").data == {"answer": "42"}


def test_it_is_of_the_version_that_it_was_built_from(control_plane: ControlPlane) -> None:
    version = client.VersionApi(config.new_client_from_config(str(control_plane.kubeconfig))).get_code()
    assert (version.major, version.minor) == ("1", "36")


def test_each_request_is_one_json_line_of_the_audit_log(
    control_plane: ControlPlane, administrator: client.CoreV1Api
) -> None:
    for number in range(3):
        administrator.create_namespaced_config_map("default", client.V1ConfigMap(metadata=named(f"audited-{number}")))
    with pytest.raises(client.ApiException):
        administrator.read_namespaced_config_map("audited-missing", "default")

    def audited() -> list[tuple[str, int]]:
        events = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines() if line]
        assert {(event["level"], event["stage"]) for event in events} == {("Metadata", "ResponseComplete")}
        assert not any("requestObject" in event for event in events)
        mine = [event for event in events if event.get("objectRef", {}).get("resource") == "configmaps"]
        return [
            (event["verb"], event["responseStatus"]["code"]) for event in mine if "python" in event["userAgent"].lower()
        ][-4:]

    assert audited() == [("create", 201)] * 3 + [("get", 404)]


def test_a_service_account_may_do_what_rbac_lets_it(
    control_plane: ControlPlane, administrator: client.CoreV1Api
) -> None:
    account = client.V1ServiceAccount(metadata=named("reader"))
    administrator.create_namespaced_service_account("default", account)
    kubeconfig = control_plane.kubeconfig_for_service_account("default", "reader")
    assert kubeconfig.stat().st_mode & 0o077 == 0
    reader = core(kubeconfig)
    with pytest.raises(client.ApiException) as refused:
        reader.list_namespaced_config_map("default")
    assert status_of(refused) == 403

    rbac = client.RbacAuthorizationV1Api(administrator.api_client)
    rule = client.V1PolicyRule(api_groups=[""], resources=["configmaps"], verbs=["list"])
    rbac.create_namespaced_role("default", client.V1Role(metadata=named("reader"), rules=[rule]))
    binding = client.V1RoleBinding(
        metadata=named("reader"),
        role_ref=client.V1RoleRef(api_group="rbac.authorization.k8s.io", kind="Role", name="reader"),
        subjects=[client.RbacV1Subject(kind="ServiceAccount", name="reader", namespace="default")],
    )
    rbac.create_namespaced_role_binding("default", binding)

    def allowed() -> bool:
        try:
            return bool(reader.list_namespaced_config_map("default").kind)
        except client.ApiException:
            return False

    wait_until(allowed, timeout=10, otherwise=lambda: "the binding has no effect")
    with pytest.raises(client.ApiException) as refused:
        reader.list_namespaced_secret("default")
    assert status_of(refused) == 403
    reader.api_client.close()


def test_a_service_account_that_does_not_exist_is_told_in_one_line(control_plane: ControlPlane) -> None:
    with pytest.raises(LocalError, match=r'^token of ServiceAccount default/ghost: serviceaccounts "ghost" not found'):
        control_plane.kubeconfig_for_service_account("default", "ghost")


def test_a_stranger_may_do_nothing(control_plane: ControlPlane) -> None:
    configuration = client.Configuration()
    configuration.host = control_plane.url
    configuration.ssl_ca_cert = str(control_plane.directory / "certificates" / "ca.crt")
    with client.ApiClient(configuration) as stranger, pytest.raises(client.ApiException) as refused:
        client.CoreV1Api(stranger).list_namespaced_config_map("default")
    assert status_of(refused) == 403


def test_crds_are_served_when_installed_and_installing_twice_is_installing_once(control_plane: ControlPlane) -> None:
    control_plane.api.install_crds(gateway_api.documents())
    control_plane.api.install_crds(gateway_api.documents())
    assert control_plane.api.answers("/apis/gateway.networking.k8s.io/v1/httproutes")


def test_a_crd_that_is_refused_is_told_in_one_line(control_plane: ControlPlane) -> None:
    broken = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "wrong.example.test"},
        "spec": {"group": "example.test", "names": {"plural": "wrong"}, "versions": [{"name": "v1", "served": True}]},
    }
    with pytest.raises(LocalError, match=r"^CRD wrong\.example\.test: .*\(HTTP 4\d\d\)$"):
        control_plane.api.install_crds([broken])


def test_after_an_outage_all_is_where_it_was(control_plane: ControlPlane, administrator: client.CoreV1Api) -> None:
    administrator.create_namespaced_config_map("default", client.V1ConfigMap(metadata=named("survivor")))
    control_plane.kill_api_server()
    assert not control_plane.api.answers("/readyz")
    control_plane.restart_api_server()
    assert administrator.read_namespaced_config_map("survivor", "default").kind == "ConfigMap"


def test_without_rbac_any_client_may_do_anything_and_stop_leaves_no_process(tmp_path: Path) -> None:
    control_plane = ControlPlane(tmp_path, rbac=False).start()
    try:
        api = core(control_plane.kubeconfig)
        account = client.V1ServiceAccount(metadata=named("anyone"))
        api.create_namespaced_service_account("default", account)
        anyone = core(control_plane.kubeconfig_for_service_account("default", "anyone"))
        assert anyone.list_namespaced_secret("default").items == []
        started = control_plane.processes
        assert [process.name for process in started] == ["kube-apiserver", "etcd"]
    finally:
        control_plane.stop()
    assert not any(process.is_running() for process in started)
    control_plane.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "audit.log").mkdir()
    control_plane = ControlPlane(tmp_path)
    with pytest.raises(LocalError, match=r"^kube-apiserver ended while starting: .*kube-apiserver\.log\)$"):
        control_plane.start()
    assert control_plane.processes == ()


def test_a_port_that_another_process_took_is_no_obstacle(
    tmp_path: Path, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(control_plane.url.rpartition(":")[2])
    free_port = processes.free_port
    # First the API server's, then etcd's.
    offers = iter([taken, free_port(), free_port(), free_port(), taken])
    monkeypatch.setattr(processes, "free_port", lambda: next(offers, None) or free_port())
    with ControlPlane(tmp_path) as started:
        assert started.url != control_plane.url
