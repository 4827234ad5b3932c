"""A namespace that is saved, lost and restored, with the commands as a person types them."""

from pathlib import Path

from typer.testing import CliRunner, Result

from headgate.cli.main import app
from headgate.local.control_plane import ControlPlane
from headgate.local.waiting import wait_until
from tests.controller.kube import Kube

_KINDS = ("Rollout", "PromptVersion", "QualityGate", "ConfigMap")


class Place:
    """One namespace and the file that it is saved to."""

    def __init__(self, plane: ControlPlane, kube: Kube, file: Path) -> None:
        self._environment = {"KUBECONFIG": str(plane.kubeconfig)}
        self._kube = kube
        self.file = file

    def headgate(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env=self._environment)

    def save(self) -> None:
        saved = self.headgate("backup", "-n", self._kube.namespace, "-o", str(self.file))
        assert saved.exit_code == 0, saved.output

    def lose_everything(self) -> None:
        """What is left is a namespace in which nobody ever installed anything."""
        for kind in _KINDS:
            for name in self._kube.names(kind):
                self._kube.delete(kind, name)
        wait_until(lambda: not self.holds(), timeout=10, otherwise=lambda: str(self.holds()))

    def holds(self) -> set[str]:
        return {f"{kind}/{name}" for kind in _KINDS for name in self._kube.names(kind)}

    def restore(self) -> Result:
        return self.headgate("restore", str(self.file))
