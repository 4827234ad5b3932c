"""What manifests/install.yaml grants, to two ServiceAccounts: the audit log tells one replica from the other."""

from pathlib import Path
from typing import Any

import requests
import yaml

from headgate.local.control_plane import ControlPlane

HOME = "headgate"
NAMES = ("headgate", "headgate-2")
_INSTALL = Path(__file__).parents[2] / "manifests" / "install.yaml"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": f"/api/v1/namespaces/{HOME}/serviceaccounts",
    "ClusterRole": f"{_RBAC}/clusterroles",
    "ClusterRoleBinding": f"{_RBAC}/clusterrolebindings",
    "Role": f"{_RBAC}/namespaces/{HOME}/roles",
    "RoleBinding": f"{_RBAC}/namespaces/{HOME}/rolebindings",
}


def user(name: str) -> str:
    """As the audit log calls it."""
    return f"system:serviceaccount:{HOME}:{name}"


class Installation:
    """The operator's own namespace on a real API server with RBAC, asked as its administrator."""

    def __init__(self, plane: ControlPlane) -> None:
        certificates = plane.api.certificates
        self._url = plane.url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(certificates.authority)
        self._session.cert = (str(certificates.certificate("admin")), str(certificates.key("admin")))
        shipped = [each for each in yaml.safe_load_all(_INSTALL.read_text()) if each and each["kind"] in _PATHS]
        for document in sorted(shipped, key=lambda each: list(_PATHS).index(each["kind"])):
            if "subjects" in document:
                [subject] = document["subjects"]
                document["subjects"] = [{**subject, "name": name} for name in NAMES]
            self._create(document)
        self._create({"kind": "ServiceAccount", "metadata": {"name": NAMES[1]}})
        self.kubeconfigs = {name: plane.kubeconfig_for_service_account(HOME, name) for name in NAMES}

    def lease(self) -> dict[str, Any]:
        """The Lease's spec; an empty one when there is none."""
        answer = self._session.get(self._lease_url, timeout=10)
        found: dict[str, Any] = answer.json().get("spec", {}) if answer.ok else {}
        return found

    def forget_lease(self) -> None:
        """As before the first replica ever ran."""
        self._session.delete(self._lease_url, timeout=10)

    def hold_lease_for(self, holder: str, **spec: object) -> None:
        """Somebody has the Lease, who will never renew it."""
        body = {"metadata": {"name": "headgate"}, "spec": {"holderIdentity": holder, **spec}}
        answer = self._session.post(self._lease_url.rpartition("/")[0], json=body, timeout=10)
        assert answer.ok, answer.text

    def close(self) -> None:
        self._session.close()

    @property
    def _lease_url(self) -> str:
        return f"{self._url}/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases/headgate"

    def _create(self, document: dict[str, Any]) -> None:
        answer = self._session.post(f"{self._url}{_PATHS[document['kind']]}", json=document, timeout=10)
        assert answer.ok, answer.text
