"""The token that the operator shows is replaced, and the old one is worth nothing any more: as in every pod, hourly."""

import shutil
from pathlib import Path

import pytest
import requests
import yaml

from tests.integration import service_account
from tests.integration.cluster import Server
from tests.integration.conftest import MakeOperator
from tests.integration.fault_proxy import FaultProxy
from tests.integration.operator_process import OperatorProcess
from tests.integration.releases import Release
from tests.integration.waiting import eventually

_SECRETS = f"/api/v1/namespaces/{service_account.HOME}/secrets"
_ACCOUNT = f"/api/v1/namespaces/{service_account.HOME}/serviceaccounts/{service_account.NAME}"


class Tokens:
    """Tokens of the operator's ServiceAccount that live as long as a Secret does, and the file with the one to show."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self.file = directory / "token"
        self._issued = 0

    @property
    def _secret(self) -> str:
        return f"{self.file.parent.name}-{self._issued}".replace("_", "-").lower()

    def issue(self) -> None:
        """The file holds a new one from now on."""
        self._issued += 1
        name = self._secret
        secret = self._server.send("POST", _SECRETS, {"metadata": {"name": name}})
        bound = {"kind": "Secret", "apiVersion": "v1", "name": name, "uid": secret["metadata"]["uid"]}
        wish = {"spec": {"expirationSeconds": 3600, "boundObjectRef": bound}}
        token = self._server.send("POST", f"{_ACCOUNT}/token", wish)["status"]["token"]
        new = self.file.with_name("token.new")
        new.write_text(token)
        new.replace(self.file)

    def revoke(self) -> None:
        """Returns when the API server takes the token no more; it goes on remembering one for ten seconds."""
        old = self.file.with_name("token.old")
        shutil.copy(self.file, old)
        self._server.send("DELETE", f"{_SECRETS}/{self._secret}")
        plane = self._server.plane
        headers = {"Authorization": f"Bearer {old.read_text()}"}

        def status() -> int:
            with requests.Session() as session:
                session.trust_env, session.verify = False, str(plane.api.certificates.authority)
                return session.get(f"{plane.url}/api", headers=headers, timeout=10).status_code

        eventually(status, lambda seen: seen == 401)


@pytest.fixture
def tokens(server: Server, tmp_path: Path, operator_kubeconfig: Path) -> Tokens:
    return Tokens(server, tmp_path)


@pytest.fixture
def operator(proxy: FaultProxy, make_operator: MakeOperator, tokens: Tokens) -> OperatorProcess:
    """An operator whose kubeconfig names the file, on the way on which its watches can be cut."""
    tokens.issue()
    content = yaml.safe_load(proxy.kubeconfig.read_text())
    content["users"][0]["user"] = {"tokenFile": tokens.file.name}
    kubeconfig = tokens.file.with_name("kubeconfig")
    kubeconfig.write_text(yaml.safe_dump(content))
    operator = make_operator(kubeconfig)
    operator.start()
    return operator


def test_a_bad_release_is_taken_back_with_the_next_token(
    proxy: FaultProxy, operator: OperatorProcess, release: Release, tokens: Tokens
) -> None:
    release.begins()
    old = tokens.file.read_text()
    tokens.revoke()
    # What it asks now is refused with 401, and asked again.
    release.is_bad("v2")
    release.of("v2")
    eventually(lambda: operator.metric("headgate_api_requests_total", result="Unavailable"))
    tokens.issue()
    assert tokens.file.read_text() != old
    release.ends_rolled_back("v2")


def test_watches_that_end_begin_again_with_the_next_token(
    proxy: FaultProxy, operator: OperatorProcess, release: Release, tokens: Tokens
) -> None:
    operator.tolerates = ("kopf",)
    release.begins()
    tokens.revoke()
    tokens.issue()
    for path in ("/rollouts", "/promptversions", "/qualitygates", "/configmaps"):
        proxy.cut(path)
    release.of("v2")
    release.ends_stable("v2")
    assert operator.is_running
