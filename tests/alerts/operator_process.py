"""`headgate run` that also listens for alerts, as a process of its own."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from headgate.local import processes
from tests.integration.operator_process import OperatorProcess


class AlertedOperator(OperatorProcess):
    """The operator with tokens of Alertmanager, each for some namespaces."""

    def __init__(self, directory: Path, kubeconfig: Path, tokens: Mapping[Path, Iterable[str]]) -> None:
        self.listen = f"127.0.0.1:{processes.free_port()}"
        bound = [{"file": str(file), "namespaces": list(namespaces)} for file, namespaces in tokens.items()]
        super().__init__(directory, kubeconfig, [], None, alerts={"listen": self.listen, "tokens": bound})
        # kopf calls it an error when the API server goes away, which one of these tests makes it do.
        self.tolerates = ("kopf.",)

    @property
    def url(self) -> str:
        """Where alerts are posted to."""
        return f"http://{self.listen}/alerts"
