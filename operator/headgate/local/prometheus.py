"""A Prometheus server on 127.0.0.1 that scrapes what its target files name; they may change while it runs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from headgate.local import loopback
from headgate.local.errors import LocalError
from headgate.local.web_server import WebServer


class PrometheusServer(WebServer):
    """Prometheus in a directory of its own.

    `scrape_targets` are addresses (`host:port`) by job, scraped at `/metrics`. `scrape_interval` is a Prometheus
    duration. `rules` is the YAML of a rules file; alerts go to the `alertmanager` at that address (`host:port`). A
    configuration that is already in the directory is left as it is with `keep_configuration`: it is the user's then.
    """

    program = "prometheus"

    def __init__(
        self,
        directory: Path,
        scrape_targets: Mapping[str, Sequence[str]] | None = None,
        scrape_interval: str = "1s",
        *,
        rules: str | None = None,
        alertmanager: str | None = None,
        keep_configuration: bool = False,
        pid_directory: Path | None = None,
    ) -> None:
        super().__init__(directory, pid_directory)
        self.configuration = self.directory / "prometheus.yml"
        self.targets = self.directory / "targets"
        """Each `*.json` in it is a list of `{"targets": ["host:port"], "labels": {"job": ...}}`; it notices changes."""
        self._scrape_targets = dict(scrape_targets or {})
        self._scrape_interval = scrape_interval
        self._rules = rules
        self._alertmanager = alertmanager
        self._keep_configuration = keep_configuration

    def reload(self) -> None:
        """Read the configuration and the rules again.

        Raises:
            LocalError: Prometheus refuses them; it goes on with those before.
        """
        if not loopback.request("POST", f"{self.url}/-/reload").ok:
            raise LocalError(f"Prometheus does not take {self.configuration}: see its log in {self.directory / 'logs'}")

    def set_targets(self, job: str, addresses: Sequence[str]) -> None:
        """Scrape these addresses (`host:port`) as this job from now on; Prometheus notices by itself."""
        self.targets.mkdir(parents=True, exist_ok=True)
        file = self.targets / f"{job}.json"
        # Renamed into place, so that Prometheus never reads half a file.
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps([{"targets": list(addresses), "labels": {"job": job}}], indent=2) + "\n")
        unfinished.replace(file)

    def _write_configuration(self) -> None:
        self.targets.mkdir(parents=True, exist_ok=True)
        for job, addresses in self._scrape_targets.items():
            self.set_targets(job, addresses)
        if self._keep_configuration and self.configuration.exists():
            return
        if self._rules is not None:
            (self.directory / "rules.yml").write_text(self._rules)
        content: dict[str, object] = {
            "global": {"scrape_interval": self._scrape_interval, "evaluation_interval": self._scrape_interval},
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {
                    "job_name": "targets",
                    "file_sd_configs": [{"files": ["targets/*.json"], "refresh_interval": "1s"}],
                }
            ],
        }
        if self._alertmanager is not None:
            content["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [self._alertmanager]}]}]}
        self.configuration.write_text(_HEADER + yaml.safe_dump(content, sort_keys=False))

    def _arguments(self) -> list[str | Path]:
        return [
            f"--config.file={self.configuration}",
            f"--storage.tsdb.path={self.directory / 'prometheus'}",
            f"--web.listen-address={self.address}",
            # New targets are scraped after a second at most, not after five.
            "--scrape.discovery-reload-interval=1s",
            # For `reload`; it also lets anyone on this machine end it.
            "--web.enable-lifecycle",
        ]


_HEADER = """\
# Targets are added without a restart: put a file into targets/, such as targets/my-service.json:
#   [{"targets": ["127.0.0.1:8080"], "labels": {"job": "my-service"}}]
# This file and rules.yml (alerting and recording rules) are read at the start, and again on a POST to /-/reload.
"""
