"""What a real API server says to the manifest and the chart: every object is taken, the pod passes `restricted`."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kubernetes import config
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient

from headgate.local.control_plane import ControlPlane
from manifests.render import INSTALL, render

Document = dict[str, Any]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamicClient]:
    """An API server of its own with the manifest's namespace and ServiceAccount, which a dry run cannot create."""
    with ControlPlane(tmp_path_factory.mktemp("admission")) as plane:
        client = DynamicClient(config.new_client_from_config(str(plane.kubeconfig)))
        for document in documents(INSTALL.read_text()):
            if document["kind"] in {"Namespace", "ServiceAccount"}:
                apply(client, document)
        yield client


def documents(text: str) -> list[Document]:
    return [document for document in yaml.safe_load_all(text) if document]


def apply(client: DynamicClient, document: Document, *, dry_run: bool = False) -> None:
    kind = client.resources.get(api_version=document["apiVersion"], kind=document["kind"])
    options = {"dry_run": "All"} if dry_run else {}
    client.server_side_apply(
        kind,
        body=document,
        name=document["metadata"]["name"],
        namespace=document["metadata"].get("namespace"),
        field_manager="test",
        **options,
    )


def pod() -> Document:
    [deployment] = [document for document in documents(INSTALL.read_text()) if document["kind"] == "Deployment"]
    template = copy.deepcopy(deployment["spec"]["template"])
    metadata = template["metadata"] | {"name": "headgate", "namespace": deployment["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        ["--set", "watch.namespace=default"],
        ["--set", "networkPolicy.enabled=true,impersonation.namespaces={default},impersonation.constrained=true"],
        ["--set", "networkPolicy.enabled=true,impersonation.everywhere=true,impersonation.serviceAccounts={deployer}"],
    ],
    ids=["manifest", "chart", "one namespace", "one namespace's accounts", "an account everywhere"],
)
def test_every_object_is_taken(cluster: DynamicClient, values: list[str] | None) -> None:
    text = INSTALL.read_text() if values is None else render(*values)
    kinds = set()
    for document in documents(text):
        apply(cluster, document, dry_run=True)
        kinds.add(document["kind"])
    assert {"CustomResourceDefinition", "ServiceAccount", "ConfigMap", "Deployment"} <= kinds


def test_the_pod_is_admitted_where_restricted_is_enforced(cluster: DynamicClient) -> None:
    apply(cluster, pod(), dry_run=True)


def test_a_laxer_pod_would_not_be_admitted(cluster: DynamicClient) -> None:
    lax = pod()
    del lax["spec"]["containers"][0]["securityContext"]["capabilities"]
    with pytest.raises(ApiException, match="violates PodSecurity"):
        apply(cluster, lax, dry_run=True)
