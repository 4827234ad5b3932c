"""Turns a kubeconfig, or the pod's own account, into a connection to the cluster that a command speaks of."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException
from yaml import YAMLError

from headgate.cli.exit_statuses import ExitStatus
from headgate.cli.failures import CommandError
from headgate.cli.kube.rollouts import Rollouts
from headgate.cli.kube.target import Target

_MISTAKES = (ValueError, TypeError, KeyError, AttributeError, YAMLError)
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster, and the namespace that is meant when none is named."""

    rollouts: Rollouts
    namespace: str


@contextmanager
def connect(target: Target, *, timeout: float = 15.0) -> Iterator[Connection]:
    """A connection for the length of a command; `timeout` in seconds holds for each request but a watch.

    Raises CommandError when there is no usable kubeconfig.
    """
    settings = client.Configuration()
    # A write is never repeated blindly, and a person who waits is told at once.
    settings.retries = False
    namespace = _configure(settings, target)
    api = client.ApiClient(settings)
    try:
        yield Connection(Rollouts(api, timeout=timeout), target.namespace or namespace)
    finally:
        api.close()


def _configure(settings: client.Configuration, target: Target) -> str:
    """Fills in the address and the credentials; the context's namespace."""
    named = str(target.kubeconfig) if target.kubeconfig else os.environ.get("KUBECONFIG")
    if target.kubeconfig and not target.kubeconfig.is_file():
        raise CommandError(f"--kubeconfig {target.kubeconfig}: no such file", ExitStatus.USAGE)
    files = named or str(Path("~/.kube/config").expanduser())
    if not named and not Path(files).is_file() and "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config(client_configuration=settings)
        return _POD_NAMESPACE.read_text().strip()
    try:
        contexts, active = config.list_kube_config_contexts(files)
        chosen = next((each for each in contexts if each["name"] == target.context), None) if target.context else active
        if chosen is None:
            known = ", ".join(sorted(each["name"] for each in contexts))
            raise CommandError(f"--context {target.context}: not in {files}; it has {known}", ExitStatus.USAGE)
        config.load_kube_config(files, context=chosen["name"], client_configuration=settings)
    except (ConfigException, OSError, *_MISTAKES, urllib3.exceptions.LocationValueError) as error:
        hint = "give --kubeconfig FILE or set KUBECONFIG"
        raise CommandError(f"kubeconfig {files}: {error}; {hint}", ExitStatus.USAGE) from error
    return str(chosen["context"].get("namespace") or "default")
