"""Every state that every object of a test's namespaces went through, by one watch for each kind. Judges nothing."""

import contextlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import requests

from headgate.local.control_plane import ControlPlane
from tests.integration.cluster import PATHS, Document, Server
from tests.integration.waiting import NeverHappened

KINDS = (
    "Rollout",
    "PromptVersion",
    "QualityGate",
    "ConfigMap",
    "HTTPRoute",
    "InferenceService",
    "ControllerRevision",
)
PATIENCE = 90.0
"""Seconds that anything may take while a dozen other runs go on."""
_T = TypeVar("_T")


class Chronicle:
    """A context manager that watches while it is open. What happened is told in the order in which it did."""

    def __init__(self, plane: ControlPlane, kinds: tuple[str, ...] = KINDS) -> None:
        self._plane = plane
        self._kinds = kinds
        self._states: dict[str, dict[tuple[str, str], list[Document]]] = {}
        self._turn = threading.Lock()
        self._news: dict[str, threading.Condition] = {}
        """By namespace, so that a run is woken by its own news alone."""
        self._open: list[tuple[Server, requests.Response]] = []

    def __enter__(self) -> Self:
        for kind in self._kinds:
            server = Server(self._plane)
            path = PATHS[kind].replace("/namespaces/{}", "")
            version = server.send("GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
            answer = server.stream(f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=86400")
            self._open.append((server, answer))
            threading.Thread(target=self._read, args=(kind, answer), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for server, answer in self._open:
            # Closing waits for whoever reads, who may wait for ever for news; a watch that has ended has no socket.
            with contextlib.suppress(ValueError, RuntimeError):
                answer.raw.shutdown()
            answer.close()
            server.close()

    def states(self, namespace: str, kind: str, name: str) -> list[Document]:
        """The states of one object so far; an empty one for each deletion."""
        with self._turn:
            return list(self._states.get(namespace, {}).get((kind, name), ()))

    def newest(self, namespace: str, kind: str, name: str) -> Document:
        """The last state of one object; an empty one when there is none."""
        with self._turn:
            return self._newest(namespace, kind, name)

    def wait(
        self, namespace: str, kind: str, name: str, wanted: Callable[[Document], _T], *, within: float = PATIENCE
    ) -> _T:
        """What ``wanted`` says of the newest state once that is true; a KeyError or IndexError in it means: not yet.

        Raises NeverHappened after ``within`` seconds.
        """
        deadline = time.monotonic() + within
        with self._turn:
            news = self._of(namespace)
            while True:
                newest = self._newest(namespace, kind, name)
                with contextlib.suppress(KeyError, IndexError):
                    if found := wanted(newest):
                        return found
                if not news.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    shown = json.dumps(newest.get("status", newest), indent=1, default=str)
                    raise NeverHappened(f"{kind} {namespace}/{name}: after {within:.0f} s it is still\n{shown[:6000]}")

    def catch_up(self, namespace: str, kind: str, listed: list[Document]) -> None:
        """Returns when everything that a list has shown was seen."""
        for each in listed:
            metadata = each["metadata"]
            least = int(metadata["resourceVersion"])
            self.wait(namespace, kind, metadata["name"], partial(_is_as_new, least))

    def forget(self, namespace: str) -> None:
        """Drops what nobody asks for any more."""
        with self._turn:
            self._states.pop(namespace, None)
            self._news.pop(namespace, None)

    def _of(self, namespace: str) -> threading.Condition:
        return self._news.setdefault(namespace, threading.Condition(self._turn))

    def _newest(self, namespace: str, kind: str, name: str) -> Document:
        states = self._states.get(namespace, {}).get((kind, name))
        return states[-1] if states else {}

    def _read(self, kind: str, answer: requests.Response) -> None:
        # The end of the watch, the server's or ours, ends the thread.
        with contextlib.suppress(requests.RequestException, AttributeError, ValueError, OSError):
            for line in answer.iter_lines(chunk_size=None):
                event = json.loads(line)
                metadata = event["object"]["metadata"]
                with self._turn:
                    known = self._states.setdefault(metadata["namespace"], defaultdict(list))
                    state = {} if event["type"] == "DELETED" else event["object"]
                    known[kind, metadata["name"]].append(state)
                    self._of(metadata["namespace"]).notify_all()


def _is_as_new(least: int, state: Document) -> bool:
    return int(state["metadata"]["resourceVersion"]) >= least
