"""What each program is built from: a Go module beside this file, a package in it, and the flags."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from headgate.local.errors import LocalError

GO_MODULES = Path(__file__).parent / "gomodules"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program is built, and how an installed one is known to be good enough."""

    name: str
    module: str
    """The directory under `gomodules`."""
    package: str
    """The main package, as `go build` takes it in that directory."""
    oldest: tuple[int, int]
    """The oldest installed version (major, minor) that is taken instead of building."""
    tags: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    """Go variables set by the linker: upstream's release builds set their version so."""
    version_arguments: tuple[str, ...] = ("--version",)

    @property
    def directory(self) -> Path:
        """Where the Go module is."""
        return GO_MODULES / self.module

    def arguments(self) -> list[str]:
        """The arguments of `go build`, except where the program goes."""
        linker = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables)])
        return ["-trimpath", f"-tags={self.tags}", f"-ldflags={linker}", self.package]

    def digest(self) -> str:
        """Sixteen hex digits that change with anything that goes into the program, except the toolchain."""
        inputs = hashlib.sha256("\0".join(self.arguments()).encode())
        for file in sorted(self.directory.rglob("*")):
            if file.is_file():
                inputs.update(f"\0{file.relative_to(self.directory)}\0{file.stat().st_size}\0".encode())
                inputs.update(file.read_bytes())
        return inputs.hexdigest()[:16]


_KUBERNETES_VERSION = (
    ("k8s.io/component-base/version.gitVersion", "v1.36.3"),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", "36"),
)
# Without the last two `helm template` takes the cluster for Kubernetes 1.20.
_HELM_VERSION = (
    ("helm.sh/helm/v3/internal/version.version", "v3.22.0"),
    ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor", "1"),
    ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor", "36"),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe("etcd", "controlplane", "./etcd", oldest=(3, 5)),
            Recipe("kube-apiserver", "controlplane", "./kube-apiserver", oldest=(1, 32), variables=_KUBERNETES_VERSION),
            Recipe(
                "prometheus",
                "prometheus",
                "github.com/prometheus/prometheus/cmd/prometheus",
                oldest=(3, 0),
                tags="remove_all_sd",
                variables=(("github.com/prometheus/common/version.Version", "3.14.0"),),
            ),
            Recipe(
                "alertmanager",
                "alertmanager",
                "github.com/prometheus/alertmanager/cmd/alertmanager",
                oldest=(0, 28),
                variables=(("github.com/prometheus/common/version.Version", "0.31.1"),),
            ),
            Recipe(
                "helm",
                "helm",
                "helm.sh/helm/v3/cmd/helm",
                oldest=(3, 17),
                variables=_HELM_VERSION,
                version_arguments=("version",),
            ),
            Recipe(
                "kubectl",
                "kubectl",
                "./kubectl",
                oldest=(1, 32),
                variables=_KUBERNETES_VERSION,
                version_arguments=("version", "--client"),
            ),
        )
    }
)


def recipe(name: str) -> Recipe:
    """The recipe of a program.

    Raises:
        LocalError: no such program is known here.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise LocalError(f"no program {name!r} is known here: choose one of {', '.join(RECIPES)}") from None
