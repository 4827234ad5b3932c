"""A real API server with headgate's CRDs, and the command line spoken to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from typer.testing import CliRunner, Result

from headgate.api.crds import documents
from headgate.cli.main import app
from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.cli.samples import Document, rollout, spec

GROUP = ("headgate.dev", "v1alpha1")


@dataclass(frozen=True)
class Cluster:
    """The server as its administrator and other people use it, beside the command line."""

    plane: ControlPlane
    api: client.CustomObjectsApi

    @property
    def environment(self) -> Mapping[str, str]:
        return {"KUBECONFIG": str(self.plane.kubeconfig)}

    def headgate(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env=self.environment)

    def get(self, name: str) -> Document:
        return cast("Document", self.api.get_namespaced_custom_object(*GROUP, "ai", "rollouts", name))

    def exists(self, name: str, **fields: Document) -> Document:
        """A Rollout of that name with these contents; its status is written as the operator writes it."""
        document = rollout(name, **fields)
        created = {**document, "metadata": {"name": name, "namespace": "ai", **fields.get("metadata", {})}}
        self.api.create_namespaced_custom_object(*GROUP, "ai", "rollouts", created, field_manager="kubectl")
        if "status" in fields:
            self.says(name, fields["status"])
        return self.get(name)

    def has_version(self, name: str, family: str) -> None:
        """A PromptVersion of that family."""
        document = {"apiVersion": "headgate.dev/v1alpha1", "kind": "PromptVersion", "metadata": {"name": name}}
        model = {"provider": "openai", "name": "gpt-4.1"}
        described = {"family": family, "model": model, "messages": [{"role": "system", "content": "You help."}]}
        self.api.create_namespaced_custom_object(*GROUP, "ai", "promptversions", {**document, "spec": described})

    def says(self, name: str, status: Document) -> None:
        """What the operator would say now of the generation that is there."""
        seen = {"observedGeneration": self.get(name)["metadata"]["generation"]}
        self.api.patch_namespaced_custom_object_status(
            *GROUP,
            "ai",
            "rollouts",
            name,
            {"status": {**status, **seen}},
            field_manager="headgate",
            _content_type="application/merge-patch+json",
        )

    @contextmanager
    def without_legacy(self, message: str) -> Iterator[None]:
        """A policy of the cluster's administrator refuses the kill switch Legacy, with that message."""
        policies = ("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies")
        bindings = (*policies[:2], "validatingadmissionpolicybindings")
        rule = {
            "apiGroups": [GROUP[0]],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE"],
            "resources": ["rollouts"],
        }
        name = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "no"}}
        self.api.create_cluster_custom_object(
            *policies,
            {
                **name,
                "kind": "ValidatingAdmissionPolicy",
                "spec": {
                    "matchConstraints": {"resourceRules": [rule]},
                    "validations": [
                        {"expression": "object.spec.?killSwitch != optional.of('Legacy')", "message": message}
                    ],
                },
            },
        )
        binding = {"policyName": "no", "validationActions": ["Deny"]}
        self.api.create_cluster_custom_object(
            *bindings, {**name, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding}
        )
        try:
            # The server heeds a policy a moment after it was made: some object it forbids tells when.
            wait_until(lambda: self._is_refused(message), timeout=30, otherwise=lambda: "the policy is not heeded")
            yield
        finally:
            self.api.delete_cluster_custom_object(*bindings, "no")
            self.api.delete_cluster_custom_object(*policies, "no")

    def _is_refused(self, message: str) -> bool:
        probe = {**rollout("probe", spec=spec(killSwitch="Legacy")), "metadata": {"name": "probe", "namespace": "ai"}}
        try:
            self.api.create_namespaced_custom_object(*GROUP, "ai", "rollouts", probe, dry_run="All")
        except ApiException as error:
            return message in str(error.body)
        return False

    def delete(self, name: str) -> None:
        self.api.delete_namespaced_custom_object(*GROUP, "ai", "rollouts", name)

    def applies(self, name: str, spec: Document, manager: str) -> Document:
        """A server-side apply without force, as a GitOps tool does."""
        body = {
            "apiVersion": "headgate.dev/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": name, "namespace": "ai"},
            "spec": spec,
        }
        applied = self.api.patch_namespaced_custom_object(
            *GROUP, "ai", "rollouts", name, body, field_manager=manager, _content_type="application/apply-patch+yaml"
        )
        return cast("Document", applied)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("cli-api-server"), rbac=False) as started:
        started.api.install_crds(documents())
        yield started


@pytest.fixture
def cluster(plane: ControlPlane, tmp_path: Path) -> Iterator[Cluster]:
    """The server with an empty namespace ``ai``."""
    settings = client.Configuration()
    config.load_kube_config(str(plane.kubeconfig), client_configuration=settings)
    api = client.ApiClient(settings)
    try:
        core = client.CoreV1Api(api)
        if not core.list_namespace(field_selector="metadata.name=ai").items:
            core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="ai")))
        objects = client.CustomObjectsApi(api)
        yield Cluster(plane, objects)
        for plural in ("rollouts", "promptversions"):
            objects.delete_collection_namespaced_custom_object(*GROUP, "ai", plural)
    finally:
        api.close()
