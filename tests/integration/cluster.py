"""One namespace of a real API server, as a person with kubectl or a GitOps tool uses it. Knows no operator."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import requests

from headgate.local.control_plane import ControlPlane
from tests.integration.waiting import PATIENCE, eventually

Document: TypeAlias = dict[str, Any]

_HEADGATE = "/apis/headgate.dev/v1alpha1/namespaces/{}"
PATHS = {
    "PromptVersion": f"{_HEADGATE}/promptversions",
    "QualityGate": f"{_HEADGATE}/qualitygates",
    "Rollout": f"{_HEADGATE}/rollouts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Event": "/api/v1/namespaces/{}/events",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
    "FeatureFlag": "/apis/core.openfeature.dev/v1beta1/namespaces/{}/featureflags",
    "InferenceService": "/apis/serving.kserve.io/v1beta1/namespaces/{}/inferenceservices",
    "Ranker": "/apis/strict.example.io/v1/namespaces/{}/rankers",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "ControllerRevision": "/apis/apps/v1/namespaces/{}/controllerrevisions",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}


class Refused(Exception):
    """The API server said no; the text is its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server:
    """The API server, asked as its administrator. One for each thread."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        certificates = plane.api.certificates
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(certificates.authority)
        self._session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))

    def send(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Document:
        """The answer. Raises Refused."""
        # JSON is YAML too, and is written a hundred times faster.
        text = "" if body is None else json.dumps(body)
        answer = self._ask(method, path, text, content_type)
        if not answer.ok:
            raise Refused(answer.status_code, f"{method} {path}: {answer.json().get('message')}")
        found: Document = answer.json()
        return found

    def post_unread(self, path: str, text: str) -> None:
        """Sends a body as it is; the answer is so odd that nobody reads it. Raises Refused."""
        answer = self._ask("POST", path, text, "application/json")
        if not answer.ok:
            raise Refused(answer.status_code, f"POST {path}: {answer.text[:500]}")

    def _ask(self, method: str, path: str, text: str, content_type: str) -> requests.Response:
        return self._session.request(
            method,
            f"{self.plane.url}{path}",
            data=text.encode() or None,
            headers={"Content-Type": content_type, "User-Agent": "a-test"},
            timeout=30,
        )

    def stream(self, path: str) -> requests.Response:
        """An answer that goes on."""
        return self._session.get(f"{self.plane.url}{path}", stream=True, timeout=(5, 300))

    def close(self) -> None:
        self._session.close()


class Namespace:
    """A namespace of a test's own."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    @classmethod
    def made(cls, server: Server, name: str) -> "Namespace":
        server.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return cls(server, name)

    def by_another(self) -> "Namespace":
        """The same namespace for another thread."""
        return Namespace(Server(self.server.plane), self.name)

    def path(self, kind: str, name: str = "") -> str:
        return PATHS[kind].format(self.name) + (f"/{name}" if name else "")

    def apply(self, *documents: Document, manager: str = "kubectl", force: bool = False) -> None:
        """Server-side apply, as `kubectl apply --server-side` does it. Raises Refused."""
        for document in documents:
            query = f"fieldManager={manager}&force={str(force).lower()}&fieldValidation=Strict"
            here = {**document, "metadata": {**document["metadata"], "namespace": self.name}}
            path = f"{self.path(document['kind'], document['metadata']['name'])}?{query}"
            self.server.send("PATCH", path, here, "application/apply-patch+yaml")

    def create(self, document: Document) -> Document:
        return self.server.send("POST", self.path(document["kind"]), document)

    def get(self, kind: str, name: str) -> Document:
        return self.server.send("GET", self.path(kind, name))

    def find(self, kind: str, name: str) -> Document:
        """The object, or an empty one when there is none."""
        try:
            return self.get(kind, name)
        except Refused as refused:
            if refused.status != 404:
                raise
            return {}

    def every(self, kind: str) -> list[Document]:
        found: list[Document] = self.server.send("GET", self.path(kind))["items"]
        return found

    def patch(self, kind: str, name: str, body: Mapping[str, Any], manager: str = "somebody") -> Document:
        path = f"{self.path(kind, name)}?fieldManager={manager}"
        return self.server.send("PATCH", path, body, "application/merge-patch+json")

    def patch_status(self, kind: str, name: str, status: Mapping[str, Any], manager: str = "a-controller") -> Document:
        path = f"{self.path(kind, name)}/status?fieldManager={manager}"
        return self.server.send("PATCH", path, {"status": status}, "application/merge-patch+json")

    def delete(self, kind: str, name: str) -> None:
        self.server.send("DELETE", self.path(kind, name))

    def annotate(self, rollout: str, **asked: str | None) -> None:
        """Writes what a person asks of headgate, such as ``abort="3"``."""
        annotations = {f"headgate.dev/{word}": text for word, text in asked.items()}
        self.patch("Rollout", rollout, {"metadata": {"annotations": annotations}}, manager="a-person")

    def status(self, rollout: str) -> Document:
        found: Document = self.find("Rollout", rollout).get("status", {})
        return found

    def wait(self, rollout: str, wanted: Callable[[Document], bool], *, within: float = PATIENCE) -> Document:
        """The Rollout's status once it is as wanted."""
        return eventually(lambda: self.status(rollout), wanted, within=within)

    def condition(self, kind: str, name: str, wanted: str) -> Document:
        """One condition of an object; an empty one when it has none of that type."""
        conditions = self.find(kind, name).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == wanted), {})

    def events(self, rollout: str) -> list[Document]:
        """The Events about a Rollout, in the order in which they happened."""
        about = [event for event in self.every("Event") if event["involvedObject"]["name"] == rollout]
        return sorted(about, key=lambda event: str(event["metadata"]["name"]))

    def reasons(self, rollout: str) -> list[str]:
        """The reasons of those Events."""
        return [str(event["reason"]) for event in self.events(rollout)]
