"""Renders the chart to what `manifests/install.yaml` holds, so that the chart stays the only source of both."""

import subprocess
import sys
from pathlib import Path

from headgate.local.binaries import binary

ROOT = Path(__file__).parent.parent
CHART = ROOT / "charts" / "headgate"
INSTALL = ROOT / "manifests" / "install.yaml"

_HEADER = """\
# headgate, everything in one file: kubectl apply --server-side -f install.yaml
# Made from charts/headgate by `make manifests`: change it there.
"""


def render(*arguments: str) -> str:
    """What `helm template` makes of the chart, its CRDs included, with further arguments of helm.

    Raises:
        subprocess.CalledProcessError: helm refuses the chart or the values; `stderr` says why.
    """
    command = [str(binary("helm")), "template", "headgate", str(CHART), "--namespace=headgate", "--include-crds"]
    return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout


def install_manifest() -> str:
    """The whole text of `manifests/install.yaml`."""
    return _HEADER + render("--set", "namespace.create=true")


if __name__ == "__main__":
    try:
        INSTALL.write_text(install_manifest())
    except subprocess.CalledProcessError as refused:
        sys.exit(refused.stderr)
