"""Talks to the real API server as a person with kubectl would: server-side apply, annotate, delete, read."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from headgate.local.control_plane import ControlPlane

GROUP = "/apis/headgate.dev/v1alpha1"
PATHS = {
    "PromptVersion": f"{GROUP}/namespaces/{{}}/promptversions",
    "QualityGate": f"{GROUP}/namespaces/{{}}/qualitygates",
    "Rollout": f"{GROUP}/namespaces/{{}}/rollouts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Event": "/api/v1/namespaces/{}/events",
    "ControllerRevision": "/apis/apps/v1/namespaces/{}/controllerrevisions",
    "InferenceService": "/apis/serving.kserve.io/v1beta1/namespaces/{}/inferenceservices",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
}
_JSON = "application/json"


class Refused(Exception):
    """The API server said no."""


class Kube:
    """One namespace, as its owner sees it."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        certificates = plane.api.certificates
        self.namespace = namespace
        self._url = plane.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(certificates.authority)
        self._session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))
        self._send("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": namespace}}))

    def apply(self, document: Mapping[str, Any], manager: str = "kubectl", *, force: bool = False) -> dict[str, Any]:
        query = f"fieldManager={manager}&force={str(force).lower()}"
        path = f"{self._path(document['kind'])}/{document['metadata']['name']}?{query}"
        return self._send("PATCH", path, yaml.safe_dump(dict(document)), "application/apply-patch+yaml")

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self._send("GET", f"{self._path(kind)}/{name}")

    def every(self, kind: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._send("GET", self._path(kind))["items"]
        return items

    def patch(self, kind: str, name: str, body: Mapping[str, Any], subresource: str = "") -> dict[str, Any]:
        path = f"{self._path(kind)}/{name}" + (f"/{subresource}" if subresource else "")
        return self._send("PATCH", f"{path}?fieldManager=somebody", json.dumps(body), "application/merge-patch+json")

    def create(self, document: Mapping[str, Any], manager: str = "kubectl") -> dict[str, Any]:
        return self._send("POST", f"{self._path(document['kind'])}?fieldManager={manager}", json.dumps(document))

    def put(self, kind: str, name: str, document: Mapping[str, Any]) -> dict[str, Any]:
        return self._send("PUT", f"{self._path(kind)}/{name}?fieldManager=somebody", json.dumps(document))

    def annotate(self, name: str, **annotations: str) -> None:
        self.patch(
            "Rollout", name, {"metadata": {"annotations": {f"headgate.dev/{k}": v for k, v in annotations.items()}}}
        )

    def delete(self, kind: str, name: str) -> None:
        self._send("DELETE", f"{self._path(kind)}/{name}")

    def names(self, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.every(kind)}

    def reasons(self) -> list[str]:
        return [event["reason"] for event in sorted(self.every("Event"), key=lambda event: event["metadata"]["name"])]

    def _path(self, kind: str) -> str:
        return PATHS[kind].format(self.namespace)

    def _send(
        self, method: str, path: str, body: str | None = None, content: str = "application/json"
    ) -> dict[str, Any]:
        headers = {"Content-Type": content}
        answer = self._session.request(method, f"{self._url}{path}", data=body, headers=headers, timeout=10)
        if not answer.ok:
            raise Refused(f"{method} {path}: {answer.json().get('message')}")
        found: dict[str, Any] = answer.json()
        return found


class Requests:
    """The API server's audit log, from one moment on, without what tests themselves ask."""

    def __init__(self, audit_log: Path, namespace: str) -> None:
        self._log = audit_log
        self._namespace = namespace
        self._start = audit_log.stat().st_size

    def of_the_operator(self, also: Callable[[dict[str, Any]], bool] = lambda _entry: True) -> list[str]:
        with self._log.open() as lines:
            lines.seek(self._start)
            entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return [
            f"{entry['verb']} {entry['requestURI'].split('?')[0]}"
            for entry in entries
            if entry.get("userAgent", "").startswith(("headgate/", "kopf/"))
            and entry["verb"] != "watch"
            and f"/namespaces/{self._namespace}/" in entry["requestURI"]
            and also(entry)
        ]
