"""The chart and the one-file manifest made of it: the same, least-privileged, with a configuration that works."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.api.configuration import Configuration
from headgate.cluster.lease import Terms
from headgate.controller.leadership import lease_name
from manifests.render import CHART, INSTALL, ROOT, install_manifest, render

Document = dict[str, Any]


def documents(text: str, kind: str) -> list[Document]:
    return [document for document in yaml.safe_load_all(text) if document and document["kind"] == kind]


def arguments(text: str) -> list[str]:
    [deployment] = documents(text, "Deployment")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    given: list[str] = container["args"]
    return given


@pytest.fixture(scope="module")
def rendered() -> str:
    return render()


def rights(role: Document) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_committed_manifest_is_what_the_chart_renders() -> None:
    assert INSTALL.read_text() == install_manifest(), "run `make manifests`"


def test_the_charts_crds_are_the_projects() -> None:
    def files(directory: Path) -> dict[str, str]:
        return {file.name: file.read_text() for file in directory.iterdir()}

    assert len(files(ROOT / "crds")) == 3
    assert files(CHART / "crds") == files(ROOT / "crds"), "run `make crds`"


def test_the_shipped_configuration_is_one_that_the_operator_takes(rendered: str) -> None:
    [configuration] = documents(rendered, "ConfigMap")
    read = Configuration.model_validate(yaml.safe_load(configuration["data"]["config.yaml"]))
    assert [source.name for source in read.sources] == ["default"]


def test_the_operator_may_delete_nothing_replace_nothing_and_read_no_secret(rendered: str) -> None:
    [role] = documents(rendered, "ClusterRole")
    granted = rights(role)
    assert {verb for _, _, verb in granted} <= {"get", "list", "watch", "create", "patch"}
    assert "*" not in {part for right in granted for part in right}
    assert not {resource for _, resource, _ in granted} & {"secrets", "pods", "serviceaccounts", "namespaces"}


def test_targets_bring_the_rights_on_them_and_on_their_snapshots_alone(rendered: str) -> None:
    [before] = documents(rendered, "ClusterRole")
    values = 'targets=[{"apiGroup": "serving.kserve.io", "resources": ["inferenceservices"]}]'
    [role] = documents(render("--set-json", values), "ClusterRole")
    snapshots = {("apps", "controllerrevisions", verb) for verb in ("get", "list", "create", "delete")}
    targets = {("serving.kserve.io", "inferenceservices", verb) for verb in ("get", "list", "watch", "patch")}
    assert rights(role) - rights(before) == snapshots | targets


def test_hooks_bring_the_rights_to_read_cron_jobs_and_to_make_jobs_alone(rendered: str) -> None:
    [before] = documents(rendered, "ClusterRole")
    assert not [right for right in rights(before) if right[0] == "batch"]
    [role] = documents(render("--set", "hooks.jobs=true"), "ClusterRole")
    batch = {("batch", "cronjobs", "get"), ("batch", "jobs", "get"), ("batch", "jobs", "create")}
    assert rights(role) - rights(before) == batch


def test_the_secrets_of_webhooks_are_mounted_where_the_configuration_looks_for_them(rendered: str) -> None:
    [before] = documents(rendered, "Deployment")
    assert "hook-secrets" not in str(before)
    [deployment] = documents(render("--set", "hooks.secretName=hook-secrets"), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [mount] = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "hook-secrets"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "hook-secrets"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/var/run/headgate/hooks", True)
    assert volume["secret"]["secretName"] == "hook-secrets"


def test_a_target_of_kubernetes_own_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        render("--set-json", 'targets=[{"apiGroup": "rbac.authorization.k8s.io", "resources": ["roles"]}]')


def test_an_operator_for_one_namespace_has_no_right_beyond_it() -> None:
    text = render("--set", "watch.namespace=ai")
    assert documents(text, "ClusterRole") == []
    assert documents(text, "ClusterRoleBinding") == []
    # The Lease lives beside the operator.
    own, watched = "headgate", "ai"
    roles = {role["metadata"]["namespace"]: rights(role) for role in documents(text, "Role")}
    assert roles.keys() == {own, watched}
    assert {resource for _, resource, _ in roles[own]} == {"leases"}
    assert {binding["metadata"]["namespace"] for binding in documents(text, "RoleBinding")} == {own, watched}
    assert "--namespace=ai" in arguments(text)


@pytest.mark.parametrize("watched", [None, "ai"])
def test_the_lease_that_it_may_hold_is_the_one_that_it_asks_for(watched: str | None) -> None:
    values = ["--set", f"watch.namespace={watched}"] if watched is not None else []
    [role] = [role for role in documents(render(*values), "Role") if role["metadata"]["name"] == "headgate-lease"]
    assert [rule["resourceNames"] for rule in role["rules"] if "patch" in rule["verbs"]] == [[lease_name(watched)]]


def test_a_new_version_starts_before_the_old_one_ends(rendered: str) -> None:
    [deployment] = documents(rendered, "Deployment")
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_two_replicas_are_drained_one_at_a_time_and_stand_on_different_nodes(rendered: str) -> None:
    text = render("--set", "replicas=2")
    [deployment], [budget] = documents(text, "Deployment"), documents(text, "PodDisruptionBudget")
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]
    assert budget["spec"]["maxUnavailable"] == 1
    [spread] = pod["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    for selector in (budget["spec"]["selector"], spread["labelSelector"]):
        assert selector["matchLabels"].items() <= pod["metadata"]["labels"].items()
    # A single one must not hinder the drain of its node.
    assert documents(rendered, "PodDisruptionBudget") == []


def test_a_replica_is_ready_whether_it_leads_or_stands_by_and_has_time_to_give_back_its_lease(rendered: str) -> None:
    [deployment] = documents(rendered, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert pod["terminationGracePeriodSeconds"] >= 2 * Terms().duration


@pytest.mark.parametrize("values", [[], ["--set", "watch.namespace=ai"]], ids=["everywhere", "one namespace"])
def test_the_command_takes_the_arguments_that_the_pod_gives_it(values: list[str], tmp_path: Path) -> None:
    given = [each.replace("/etc/headgate", str(tmp_path)) for each in arguments(render(*values))]
    headgate = str(Path(sys.executable).with_name("headgate"))
    tried = subprocess.run([headgate, *given], capture_output=True, text=True, check=False)
    # It went past all of them, to the file that is not there.
    assert f"{tmp_path}/config.yaml: No such file" in tried.stderr


def test_another_configuration_starts_another_pod(rendered: str) -> None:
    [before] = documents(rendered, "Deployment")
    [after] = documents(render("--set-json", 'config={"sources":[]}'), "Deployment")
    assert before["spec"]["template"] != after["spec"]["template"]


def test_a_misspelt_value_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        render("--set", "resource.limits.cpu=1")
    assert "resource" in refusal.value.stderr
