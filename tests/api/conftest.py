"""A real API server with the CRDs in it, and plain requests to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import yaml

from headgate.api.crds import documents
from headgate.local.certificates import Certificates
from headgate.local.control_plane import ControlPlane
from tests.api.documents import Document

PLURALS = {"Rollout": "rollouts", "QualityGate": "qualitygates", "PromptVersion": "promptversions"}


@dataclass
class ApiServer:
    url: str
    session: requests.Session

    def ask(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> requests.Response:
        data = None if body is None else yaml.safe_dump(body) if "yaml" in content_type else None
        return self.session.request(
            method,
            f"{self.url}{path}",
            data=data,
            json=body if data is None else None,
            headers={"Content-Type": content_type},
            timeout=30,
        )

    def path(self, kind: str, namespace: str = "ai") -> str:
        return f"/apis/headgate.dev/v1alpha1/namespaces/{namespace}/{PLURALS[kind]}"

    def create(self, document: Document) -> requests.Response:
        return self.ask("POST", f"{self.path(document['kind'])}?fieldValidation=Strict", document)

    def try_out(self, document: Document) -> requests.Response:
        """Asks whether it would be created, where nothing else is."""
        elsewhere = {**document, "metadata": {**document["metadata"], "namespace": "empty"}}
        path = f"{self.path(document['kind'], 'empty')}?fieldValidation=Strict&dryRun=All"
        return self.ask("POST", path, elsewhere)

    def apply(self, document: Document, name: str) -> requests.Response:
        path = f"{self.path(document['kind'])}/{name}?fieldManager=gitops&fieldValidation=Strict"
        return self.ask("PATCH", path, document, "application/apply-patch+yaml")


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    directory: Path = tmp_path_factory.mktemp("api-server")
    with ControlPlane(directory, rbac=False) as plane:
        plane.api.install_crds(documents())
        certificates = Certificates(directory / "certificates")
        session = requests.Session()
        session.trust_env = False
        session.verify = str(certificates.authority)
        session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))
        server = ApiServer(plane.url, session)
        for name in ("ai", "empty"):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            assert server.ask("POST", "/api/v1/namespaces", namespace).status_code == 201
        yield server
        session.close()
