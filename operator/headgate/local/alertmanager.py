"""An Alertmanager on 127.0.0.1 that sends every alert to one webhook, with a token from a file."""

from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from headgate.local import loopback, processes
from headgate.local.binaries import binary
from headgate.local.processes import Process
from headgate.local.waiting import wait_until_serving


class AlertmanagerServer:
    """Alertmanager in a directory of its own; also a context manager that starts and stops it.

    `webhook` is the address that is posted to, as `Authorization: Bearer` with what `token_file` holds then. Alerts of
    one name are one group; it is sent after `group_wait`, again after `group_interval` when it changed, and again after
    `repeat_interval` when it did not. It ends with this process.
    """

    def __init__(
        self,
        directory: Path,
        webhook: str,
        token_file: Path,
        *,
        group_wait: str = "0s",
        group_interval: str = "1s",
        repeat_interval: str = "1h",
        max_alerts: int = 100,
    ) -> None:
        self.directory = directory.absolute()
        self._content = {
            "route": {
                "receiver": "headgate",
                "group_by": ["alertname"],
                "group_wait": group_wait,
                "group_interval": group_interval,
                "repeat_interval": repeat_interval,
            },
            "receivers": [
                {
                    "name": "headgate",
                    "webhook_configs": [
                        {
                            "url": webhook,
                            "send_resolved": True,
                            "max_alerts": max_alerts,
                            "http_config": {
                                "authorization": {"credentials_file": str(token_file.absolute())},
                                "follow_redirects": False,
                            },
                        }
                    ],
                }
            ],
        }
        self._port = 0
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """Where Prometheus finds it: host and port."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Where alerts are posted to it."""
        return f"http://{self.address}"

    def start(self, *, timeout: float = 30.0) -> Self:
        """Start it, and return when it is ready; after a `stop`, at the same port.

        Raises:
            LocalError: it cannot be had, refuses its configuration, or is not ready within `timeout` seconds.
        """
        program = binary("alertmanager")
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "alertmanager.yml"
        configuration.write_text(yaml.safe_dump(self._content, sort_keys=False))
        self._port = self._port or processes.free_port()
        command: list[str | Path] = [
            program,
            f"--config.file={configuration}",
            f"--storage.path={self.directory / 'alertmanager'}",
            f"--web.listen-address={self.address}",
            # One alone has no peers to agree with.
            "--cluster.listen-address=",
        ]
        process = processes.start("alertmanager", command, self.directory / "logs" / "alertmanager.log")
        self._process = process
        try:
            wait_until_serving(process, lambda: loopback.answers(f"{self.url}/-/ready"), timeout=timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it; nothing happens when it has ended."""
        if self._process is not None:
            self._process.stop(5.0)
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
