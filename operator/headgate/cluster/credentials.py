"""How headgate reaches the API server: a kubeconfig file, or the pod's own ServiceAccount. Sends nothing by itself."""

import os
from pathlib import Path

import aiohttp
import kopf
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from headgate.cluster.objects import Refused
from headgate.cluster.redirects import refuse_redirects
from headgate.cluster.token_file import read_before_each_request, token_file

_POOL = 10
_MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_NAMESPACE_FILE, _TOKEN_FILE = _MOUNTED / "namespace", _MOUNTED / "token"


async def credentials(kubeconfig: Path | None, context: str | None = None) -> Configuration:
    """The client configuration of that kubeconfig and context, or of the pod when there is none.

    Raises Refused, in one line, when neither can be read.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = _POOL
    # The API server is reached directly: a proxy variable meant for the internet must not see the pod's token.
    configuration.client_session_kwargs = {"trust_env": False}
    configuration.trace_configs = [refuse_redirects(aiohttp.TraceConfig())]
    try:
        if kubeconfig is not None:
            await load_kube_config(config_file=str(kubeconfig), context=context, client_configuration=configuration)
            rotated = token_file(kubeconfig, context)
        else:
            load_incluster_config(client_configuration=configuration)
            rotated = _TOKEN_FILE
    except (ConfigException, OSError, ValueError, KeyError) as error:
        where = f"the kubeconfig {kubeconfig}" if kubeconfig is not None else "the pod's ServiceAccount"
        raise Refused(f"{where} cannot be used: {' '.join(str(error).split())}; give --kubeconfig FILE") from error
    if rotated is not None:
        # Typed as what it is at first.
        configuration.refresh_api_key_hook = read_before_each_request(rotated)  # type: ignore[assignment]
    return configuration


def own_namespace() -> str | None:
    """The namespace of the pod that this process runs in: POD_NAMESPACE, or its ServiceAccount's; None outside one."""
    told = os.environ.get("POD_NAMESPACE", "").strip()
    if told:
        return told
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


async def connection(configuration: Configuration) -> kopf.ConnectionInfo:
    """The same credentials as kopf takes them, with the token as it is now."""
    settings = await configuration.auth_settings()
    header = settings["BearerToken"]["value"] if "BearerToken" in settings else None
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        token=header.split(" ", 1)[-1] if header else None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
