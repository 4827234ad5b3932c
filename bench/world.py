"""One API server for one benchmark, with the operator's identity and rights as they are shipped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench import targets
from bench.cluster import Cluster
from bench.documents import Document
from bench.operator_process import OperatorProcess
from bench.sightings import Sightings
from headgate.api.crds import documents as crds
from headgate.local import gateway_api
from headgate.local.control_plane import ControlPlane

_INSTALL = Path(__file__).parents[1] / "manifests" / "install.yaml"
_HOME = _NAME = "headgate"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_TRIES = 100
USER = f"system:serviceaccount:{_HOME}:{_NAME}"


@dataclass(frozen=True, slots=True)
class World:
    """A control plane that serves headgate's and the Gateway API's resources."""

    directory: Path
    plane: ControlPlane
    cluster: Cluster
    sightings: Sightings
    kubeconfig: Path
    """The operator's."""
    profile: Path | None

    @asynccontextmanager
    async def operator(self, prometheus_url: str, **configured: object) -> AsyncIterator[OperatorProcess]:
        """Runs the operator; it is ready. ``configured`` are further keys of its configuration."""
        process = self.idle_operator(prometheus_url, **configured)
        try:
            process.start()
            yield process
        finally:
            process.stop()

    def idle_operator(self, prometheus_url: str, **configured: object) -> OperatorProcess:
        """The operator, not started yet."""
        return OperatorProcess(self.directory, self.kubeconfig, prometheus_url, self.profile, configured)

    def replica(self, name: str, prometheus_url: str) -> OperatorProcess:
        """One of several operators of which one decides, not started yet."""
        directory = self.directory / name
        directory.mkdir()
        return OperatorProcess(directory, self.kubeconfig, prometheus_url, lease_in=_HOME)


@asynccontextmanager
async def world(directory: Path, profile: Path | None = None) -> AsyncIterator[World]:
    """Starts it, and ends it with everything in it."""
    with ControlPlane(directory / "plane") as plane:
        plane.api.install_crds([*crds(), *gateway_api.documents(), targets.crd()])
        async with Cluster(plane) as cluster:
            kubeconfig = await _identity(plane, cluster)
            sightings = Sightings(cluster)
            watching = asyncio.create_task(sightings.watch())
            try:
                yield World(directory, plane, cluster, sightings, kubeconfig, profile)
            finally:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching


async def _identity(plane: ControlPlane, cluster: Cluster) -> Path:
    await cluster.make_namespace(_HOME)
    await cluster.send("POST", f"/api/v1/namespaces/{_HOME}/serviceaccounts", {"metadata": {"name": _NAME}})
    cluster_role = _shipped("ClusterRole")
    # As the chart's value `targets` adds them.
    cluster_role["rules"] += targets.rules()
    await cluster.send("POST", f"{_RBAC}/clusterroles", cluster_role)
    await cluster.send("POST", f"{_RBAC}/clusterrolebindings", _shipped("ClusterRoleBinding"))
    for kind, plural in (("Role", "roles"), ("RoleBinding", "rolebindings")):
        await cluster.send("POST", f"{_RBAC}/namespaces/{_HOME}/{plural}", _shipped(kind))
    review = {
        "spec": {"user": USER, "resourceAttributes": {"verb": "list", "group": "headgate.dev", "resource": "rollouts"}}
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    for _ in range(_TRIES):
        # The authorizer hears of a binding a moment after it was made.
        if (await cluster.send("POST", path, review))["status"]["allowed"]:
            break
        await asyncio.sleep(0.1)
    return plane.kubeconfig_for_service_account(_HOME, _NAME, lifetime=4 * 3600.0)


def _shipped(kind: str) -> Document:
    documents = [each for each in yaml.safe_load_all(_INSTALL.read_text()) if each]
    found: Document = next(each for each in documents if each["kind"] == kind)
    return found
