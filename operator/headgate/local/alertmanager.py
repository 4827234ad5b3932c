"""An Alertmanager on 127.0.0.1 that sends every alert to one webhook, with a token from a file."""

from pathlib import Path

import yaml

from headgate.local.web_server import WebServer


class AlertmanagerServer(WebServer):
    """Alertmanager in a directory of its own.

    `webhook` is the address that is posted to, as `Authorization: Bearer` with what `token_file` holds then. Alerts of
    one name are one group; it is sent after `group_wait`, again after `group_interval` when it changed, and again after
    `repeat_interval` when it did not.
    """

    program = "alertmanager"

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
        super().__init__(directory)
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

    def _write_configuration(self) -> None:
        (self.directory / "alertmanager.yml").write_text(yaml.safe_dump(self._content, sort_keys=False))

    def _arguments(self) -> list[str | Path]:
        return [
            f"--config.file={self.directory / 'alertmanager.yml'}",
            f"--storage.path={self.directory / 'alertmanager'}",
            f"--web.listen-address={self.address}",
            # One alone has no peers to agree with.
            "--cluster.listen-address=",
        ]
