"""What the chart grants beyond headgate's own rights, and who may reach it: nothing unless a value says so."""

import json
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from headgate.api.target_kind import BUILT_IN
from manifests.render import CHART, render
from tests.packaging.test_alerts_chart import CONFIGURED
from tests.packaging.test_chart import Document, documents, rights


def roles(text: str) -> Iterator[Document]:
    for kind in ("Role", "ClusterRole"):
        yield from documents(text, kind)


def speaks_as(text: str) -> list[Document]:
    """The roles that let somebody be impersonated."""
    return [role for role in roles(text) if any("impersonate" in verb for _, _, verb in rights(role))]


def test_headgate_may_speak_as_nobody_by_default() -> None:
    assert speaks_as(render()) == []


@pytest.mark.parametrize("constrained", [False, True])
def test_it_may_speak_as_serviceaccounts_of_named_namespaces_and_never_as_users_or_groups(*, constrained: bool) -> None:
    values = {"namespaces": ["ai", "search"], "serviceAccounts": ["deployer"], "constrained": constrained}
    text = render("--set-json", f"impersonation={json.dumps(values)}")
    granted = speaks_as(text)
    assert [(role["kind"], role["metadata"]["namespace"]) for role in granted] == [("Role", "ai"), ("Role", "search")]
    for role in granted:
        [rule] = [rule for rule in role["rules"] if rule["resources"] == ["serviceaccounts"]]
        assert rule["resourceNames"] == ["deployer"]
        assert rule["verbs"] == ["impersonate:serviceaccount" if constrained else "impersonate"]
        assert not {"users", "groups", "uids", "*"} & {resource for _, resource, _ in rights(role)}
        acts = {verb for _, resource, verb in rights(role) if resource != "serviceaccounts"}
        on = {"impersonate-on:serviceaccount:create", "impersonate-on:serviceaccount:patch"}
        assert acts == (on if constrained else set())


def test_targets_are_written_by_constrained_impersonation_too() -> None:
    values = {"namespaces": ["ai"], "constrained": True}
    targets = [{"apiGroup": "serving.kserve.io", "resources": ["inferenceservices"]}]
    text = render("--set-json", f"impersonation={json.dumps(values)}", "--set-json", f"targets={json.dumps(targets)}")
    [role] = speaks_as(text)
    assert ("serving.kserve.io", "inferenceservices", "impersonate-on:serviceaccount:patch") in rights(role)


def test_jobs_are_made_by_constrained_impersonation_where_hooks_may_make_them() -> None:
    values = f"impersonation={json.dumps({'namespaces': ['ai'], 'constrained': True})}"
    made = ("batch", "jobs", "impersonate-on:serviceaccount:create")
    [without] = speaks_as(render("--set-json", values))
    [role] = speaks_as(render("--set-json", values, "--set=hooks.jobs=true"))
    assert rights(role) - rights(without) == {made}


def test_accounts_of_all_namespaces_are_named() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render("--set=impersonation.everywhere=true")
    assert "name the accounts" in refused.value.stderr
    [role] = speaks_as(render("--set=impersonation.everywhere=true", "--set=impersonation.serviceAccounts[0]=deployer"))
    assert role["kind"] == "ClusterRole"
    assert role["rules"][0]["resourceNames"] == ["deployer"]


@pytest.mark.parametrize(
    "impersonation",
    [{"namespaces": ["ai", "search"]}, {"everywhere": True, "serviceAccounts": ["deployer"]}],
    ids=["another namespace", "everywhere"],
)
def test_an_operator_for_one_namespace_speaks_as_nobody_of_another(impersonation: dict[str, object]) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        render("--set=watch.namespace=ai", "--set-json", f"impersonation={json.dumps(impersonation)}")
    assert "watch.namespace is ai" in refused.value.stderr
    [role] = speaks_as(render("--set=watch.namespace=ai", "--set-json", 'impersonation={"namespaces": ["ai"]}'))
    assert (role["kind"], role["metadata"]["namespace"]) == ("Role", "ai")


@pytest.mark.parametrize("group", sorted(BUILT_IN | {"headgate.dev", "*", ""}))
def test_no_value_gives_headgate_rights_on_what_is_never_a_target(group: str) -> None:
    targets = json.dumps([{"apiGroup": group, "resources": ["things"]}])
    with pytest.raises(subprocess.CalledProcessError):
        render("--set-json", f"targets={targets}")


@pytest.mark.parametrize(
    "written",
    [
        " rbac.authorization.k8s.io",
        "serving.kserve.io, rbac.authorization.k8s.io",
        "rbac.authorization.k8s.io #",
        '"rbac.authorization.k8s.io"',
        '""',
        "'*'",
        "x]\n  resources: [secrets]\n  verbs: [get]\n- apiGroups: [x",
        "rbac.authorization.k8s.io\n",
        "x.headgate.dev",
        "null",
    ],
)
def test_no_other_writing_of_a_group_gives_rights_on_it(written: str) -> None:
    targets = json.dumps([{"apiGroup": written, "resources": ["things"]}])
    with pytest.raises(subprocess.CalledProcessError):
        render("--set-json", f"targets={targets}")


def test_there_is_no_network_policy_by_default() -> None:
    assert documents(render(), "NetworkPolicy") == []


def policy(*arguments: str) -> Document:
    [found] = documents(render("--set=networkPolicy.enabled=true", *arguments), "NetworkPolicy")
    spec: Document = found["spec"]
    return spec


def test_only_who_is_named_reaches_the_ports_and_only_what_is_named_is_reached() -> None:
    spec = policy(*CONFIGURED)
    text = render("--set=networkPolicy.enabled=true", *CONFIGURED)
    [deployment] = documents(text, "Deployment")
    pod = deployment["spec"]["template"]
    assert spec["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    ports = {port["name"] for container in pod["spec"]["containers"] for port in container["ports"]}
    monitoring = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    assert {rule["ports"][0]["port"]: rule["from"] for rule in spec["ingress"]} == dict.fromkeys(ports, monitoring)
    # An empty list of peers would be everybody.
    assert all(rule["from"] for rule in spec["ingress"])
    assert {port["port"] for rule in spec["egress"] for port in rule["ports"]} == {53, 443, 6443, 9090}


def test_alerts_have_no_way_in_where_none_are_received() -> None:
    assert [rule["ports"][0]["port"] for rule in policy()["ingress"]] == ["http"]


def test_whom_nobody_names_is_nobody() -> None:
    spec = policy("--set-json=networkPolicy.metricsFrom=[]", "--set-json=networkPolicy.egress=[]")
    assert not spec["ingress"]
    assert {port["port"] for rule in spec["egress"] for port in rule["ports"]} == {53, 443, 6443}


def test_further_ways_out_are_rules_of_a_network_policy() -> None:
    hook = {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 443}]}
    assert policy(f"--set-json=networkPolicy.egress={json.dumps([hook])}")["egress"][-1] == hook


def test_the_pod_is_one_that_restricted_namespaces_admit_and_that_can_change_nothing_of_itself() -> None:
    [deployment] = documents(render(), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    security = container["securityContext"]
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert all(mount.get("readOnly") for mount in container["volumeMounts"] if mount["name"] != "tmp")


def test_the_schema_of_the_values_is_closed() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["additionalProperties"] is False
    assert set(yaml.safe_load((CHART / "values.yaml").read_text())) == set(schema["properties"]) - {"global"}
