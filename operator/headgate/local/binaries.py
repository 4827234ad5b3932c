"""Where a program is: in KUBEBUILDER_ASSETS, on PATH, in the user's cache, or built into it now."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from headgate.local.build import build_or_reuse
from headgate.local.errors import LocalError
from headgate.local.recipes import Recipe, recipe

_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.\d+")


def binary(name: str) -> Path:
    """The path of `etcd`, `kube-apiserver`, `prometheus` or another program with a recipe; builds it if it is nowhere.

    An installed one that is too old is passed over, except in KUBEBUILDER_ASSETS, which is an explicit wish.

    Raises:
        LocalError: it is not there and cannot be built, or KUBEBUILDER_ASSETS holds one that is too old.
    """
    wanted = recipe(name)
    return _in_assets(wanted) or _on_path(wanted) or build_or_reuse(wanted)


def version_of(program: Path, *arguments: str) -> tuple[int, int] | None:
    """Major and minor version that a program tells, or None when it tells none."""
    try:
        answer = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    # Prometheus of the 2.x line told its version on stderr.
    found = _VERSION.search(answer.stdout + answer.stderr)
    return (int(found[1]), int(found[2])) if found else None


def _in_assets(wanted: Recipe) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return None
    program = Path(assets).absolute() / wanted.name
    if not os.access(program, os.X_OK):
        return None
    if not _is_usable(program, wanted):
        oldest = ".".join(map(str, wanted.oldest))
        raise LocalError(f"{program} is older than {oldest}: update it, or unset KUBEBUILDER_ASSETS")
    return program


def _on_path(wanted: Recipe) -> Path | None:
    found = shutil.which(wanted.name)
    return Path(found) if found and _is_usable(Path(found), wanted) else None


def _is_usable(program: Path, wanted: Recipe) -> bool:
    version = version_of(program, *wanted.version_arguments)
    return version is not None and version >= wanted.oldest
