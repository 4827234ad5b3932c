"""`headgate local up`: a control plane and a Prometheus that stay until `down`."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from headgate.api import crds
from headgate.local import cache, gateway_api
from headgate.local.binaries import binary
from headgate.local.control_plane import ControlPlane
from headgate.local.errors import LocalError
from headgate.local.installation import PROGRAMS, Installation, LocalJson
from headgate.local.prometheus import PrometheusServer

_SCRAPE_INTERVAL = "5s"


def up(directory: Path) -> None:
    """Start etcd, kube-apiserver and Prometheus as daemons, with headgate's CRDs and HTTPRoute's.

    Returns when all are ready and `kubeconfig` and `local.json` are in the directory. Where they run already, nothing
    is done; where some of them ended, all are started again on the data that they left.

    Raises:
        LocalError: a program cannot be had, or does not become ready; nothing is left running then.
    """
    installation = Installation(directory.absolute())
    try:
        installation.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"{directory} cannot be made: {error.strerror}: choose another --dir") from error
    with cache.locked(installation.lock):
        if installation.is_up():
            return
        installation.stop()
        try:
            _start(installation)
        except BaseException:
            installation.stop()
            raise


def _start(installation: Installation) -> None:
    programs = {name: binary(name) for name in PROGRAMS}
    control_plane = ControlPlane(installation.directory, pid_directory=installation.pid_directory).start()
    control_plane.api.install_crds(_crds())
    prometheus = PrometheusServer(
        installation.directory,
        scrape_interval=_SCRAPE_INTERVAL,
        keep_configuration=True,
        pid_directory=installation.pid_directory,
    ).start()
    installation.describe(
        LocalJson(
            apiserver=control_plane.url,
            prometheus=prometheus.url,
            audit_log=control_plane.audit_log,
            binaries=programs,
        )
    )


def _crds() -> Iterator[Mapping[str, object]]:
    yield from crds.documents()
    try:
        yield from gateway_api.documents()
    except LocalError as error:
        # Most of headgate works without it, and programs that were installed by hand need no Go.
        sys.stderr.write(f"HTTPRoute is left out: {error}\n")
