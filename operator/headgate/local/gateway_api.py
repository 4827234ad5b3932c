"""Where the Gateway API's CRDs are, as its Go module publishes them; the go.mod beside this file pins the version."""

import subprocess
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from headgate.local import toolchain
from headgate.local.errors import LocalError
from headgate.local.recipes import GO_MODULES

_MODULE = "sigs.k8s.io/gateway-api"
_STANDARD_CHANNEL = Path("config/crd/standard")


class _Download(BaseModel):
    Dir: Path


def http_route_crd() -> Path:
    """The YAML file of HTTPRoute's CRD (v1, standard channel), downloaded into Go's module cache when it is not there.

    Raises:
        LocalError: there is no Go toolchain, or the module cannot be downloaded.
    """
    go = toolchain.find()
    answer = subprocess.run(
        [go.go, "mod", "download", "-json", _MODULE],
        cwd=GO_MODULES / "gatewayapi",
        env=go.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        module = _Download.model_validate_json(answer.stdout)
    except ValidationError:
        said = " ".join((answer.stdout + answer.stderr).split()) or f"exit status {answer.returncode}"
        raise LocalError(f"go mod download of {_MODULE} failed: {said}") from None
    return module.Dir / _STANDARD_CHANNEL / "gateway.networking.k8s.io_httproutes.yaml"


def documents() -> list[dict[str, object]]:
    """The CRD as `KubeApi.install_crds` takes it.

    Raises:
        LocalError: as for `http_route_crd`.
    """
    return [document for document in yaml.safe_load_all(http_route_crd().read_text()) if document]
