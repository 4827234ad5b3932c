"""Which request of a run is meant: its method, what it is about and which of those it is. Knows no fault."""

import json
import re
from collections import Counter
from dataclasses import dataclass

from tests.integration.fault_proxy import Asked

_IN_A_NAMESPACE = re.compile(r"/namespaces/([^/]+)/(.+)$")
_MANIFEST = re.compile(r"^(configmaps/.+-\d+)-[0-9a-f]{6,}$")
_CONTENT = re.compile(r"[0-9a-f]{10,}")


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """One request of a run, so that the same one is found in another run."""

    method: str
    about: str
    """The resource below its namespace; what a POST creates, or what the Event that it creates says."""
    ordinal: int
    """The how manieth of those, from 1."""

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def kind(self) -> tuple[str, str]:
        """What sort of request it is, whichever one: of every sort one at least is struck by each fault."""
        resource, _, name = self.about.partition("/")
        return self.method, f"{resource}/status" if name.endswith("/status") else resource

    def __str__(self) -> str:
        return f"{self.method} {self.about} #{self.ordinal}"


def namespace_of(asked: Asked) -> str:
    """Where the request belongs; empty for what belongs to no namespace."""
    found = _IN_A_NAMESPACE.search(asked.path)
    return found.group(1) if found else ""


class Counting:
    """Gives each request of one namespace its point."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()

    def point(self, asked: Asked) -> Point:
        about = _about(asked)
        self._times[asked.method, about] += 1
        return Point(asked.method, about, self._times[asked.method, about])


def _about(asked: Asked) -> str:
    found = _IN_A_NAMESPACE.search(asked.path)
    about = found.group(2) if found else asked.path
    if asked.method == "POST":
        body = json.loads(asked.body)
        about = f"{about}/{body.get('reason') or body['metadata']['name']}"
    about = _MANIFEST.sub(r"\1", about)
    return _CONTENT.sub("", about)
