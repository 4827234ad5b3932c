"""The few requests that setting up a control plane needs, as its administrator; no general Kubernetes client."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import requests
import yaml
from pydantic import BaseModel

from headgate.local import loopback
from headgate.local.certificates import Certificates
from headgate.local.errors import LocalError
from headgate.local.waiting import wait_until

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_APPLY = "application/apply-patch+yaml"


class _Metadata(BaseModel):
    name: str


class _Names(BaseModel):
    plural: str


class _Version(BaseModel):
    name: str
    served: bool


class _Spec(BaseModel):
    group: str
    names: _Names
    versions: list[_Version]


class _Crd(BaseModel):
    metadata: _Metadata
    spec: _Spec

    def paths(self) -> list[str]:
        """Where its objects are listed, when it is served."""
        served = (version.name for version in self.spec.versions if version.served)
        return [f"/apis/{self.spec.group}/{version}/{self.spec.names.plural}" for version in served]


class _IssuedToken(BaseModel):
    token: str


class _TokenRequest(BaseModel):
    status: _IssuedToken


@dataclass(frozen=True, slots=True)
class KubeApi:
    """An API server, asked with the administrator's certificate."""

    url: str
    certificates: Certificates

    def answers(self, path: str) -> bool:
        """Whether a GET of this path is answered by 200 now."""
        return loopback.answers(f"{self.url}{path}", certificates=self.certificates)

    def install_crds(self, documents: Iterable[Mapping[str, object]], *, timeout: float = 30.0) -> None:
        """Apply CustomResourceDefinitions, and wait until they are served.

        Raises:
            LocalError: one is refused, or not served within `timeout` seconds.
        """
        paths = []
        for document in documents:
            crd = _Crd.model_validate(document)
            path = f"{_CRDS}/{crd.metadata.name}?fieldManager=headgate-local&force=true"
            self._ask("PATCH", path, yaml.safe_dump(dict(document)), _APPLY, what=f"CRD {crd.metadata.name}")
            paths += crd.paths()
        # An established CRD is not enough: the first requests are answered by 429 while its storage is made, and
        # watches for longer than lists.
        wait_until(
            lambda: all(self.answers(path) and self._is_watched(path) for path in paths),
            timeout=timeout,
            otherwise=lambda: f"CRDs are not served after {timeout:.0f} s: {', '.join(paths)}",
        )

    def issue_token(self, namespace: str, service_account: str, *, lifetime: float) -> str:
        """A token of a ServiceAccount by TokenRequest, good for `lifetime` seconds (the server's least is 600).

        Raises:
            LocalError: the ServiceAccount does not exist, or the server refuses.
        """
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        body = yaml.safe_dump({**wish, "spec": {"expirationSeconds": int(lifetime)}})
        what = f"token of ServiceAccount {namespace}/{service_account}"
        answer = self._ask("POST", path, body, "application/yaml", what=what)
        return _TokenRequest.model_validate_json(answer).status.token

    def _is_watched(self, path: str) -> bool:
        return loopback.begins(f"{self.url}{path}?watch=1", certificates=self.certificates)

    def _ask(self, method: str, path: str, body: str, content_type: str, *, what: str) -> bytes:
        try:
            answer = loopback.request(
                method, f"{self.url}{path}", certificates=self.certificates, body=body, content_type=content_type
            )
        except requests.RequestException as error:
            raise LocalError(f"{what}: the API server at {self.url} does not answer ({error})") from error
        if not answer.ok:
            raise LocalError(f"{what}: {_message_of(answer)}")
        return answer.content


def _message_of(answer: requests.Response) -> str:
    status = (
        yaml.safe_load(answer.text) if answer.headers.get("Content-Type", "").startswith("application/json") else {}
    )
    said = status.get("message") if isinstance(status, dict) else None
    return f"{said or answer.reason} (HTTP {answer.status_code})"
