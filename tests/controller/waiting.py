"""Waits for what a user would see."""

import json
from collections.abc import Callable
from typing import Any

from headgate.local.waiting import wait_until
from tests.controller.kube import Kube, Refused


def status(kube: Kube, name: str = "reply") -> dict[str, Any]:
    found: dict[str, Any] = kube.get("Rollout", name).get("status", {})
    return found


def wait_for(
    kube: Kube, wanted: Callable[[dict[str, Any]], bool], *, timeout: float = 30.0, name: str = "reply"
) -> dict[str, Any]:
    """The status once it is as wanted."""
    last: dict[str, Any] = {}

    def arrived() -> bool:
        last.clear()
        last.update(status(kube, name))
        try:
            return wanted(last)
        except (KeyError, IndexError, Refused):
            return False

    wait_until(arrived, timeout=timeout, otherwise=lambda: f"the status stays {json.dumps(last, indent=1)}")
    return dict(last)


def is_stable(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda found: found["stable"]["version"] == name and found["phase"] == "Idle"


def flag(kube: Kube, name: str = "reply") -> dict[str, Any]:
    document = json.loads(kube.get("ConfigMap", f"{name}-flags")["data"]["flags.json"])
    found: dict[str, Any] = document["flags"][name]
    return found


def weight_shown(kube: Kube, name: str = "reply") -> int:
    return int(flag(kube, name)["metadata"]["headgate.dev/weight"])


def stage_of(kube: Kube, version: str) -> str:
    return str(kube.get("PromptVersion", version)["status"]["stage"])


def wait_for_stage(kube: Kube, version: str, stage: str) -> None:
    """Until the PromptVersion is of that stage."""
    wait_until(lambda: stage_of(kube, version) == stage, timeout=10, otherwise=lambda: stage_of(kube, version))


def has_weight(weight: int) -> Callable[[dict[str, Any]], bool]:
    return lambda found: found["weight"] == weight
