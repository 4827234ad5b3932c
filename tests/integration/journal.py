"""Every state that one object went through, as a watch brings them: what polling would miss. Judges nothing."""

import contextlib
import json
import threading

import requests

from tests.integration.cluster import Document, Namespace
from tests.integration.waiting import eventually


class Journal:
    """The states of one object from now on; it may not exist yet."""

    def __init__(self, namespace: Namespace, kind: str, name: str) -> None:
        self._of = namespace.by_another()
        self._kind, self._name = kind, name
        self._states: list[Document] = []
        listed = self._of.server.send("GET", self._of.path(kind))
        self._states += [item for item in listed["items"] if item["metadata"]["name"] == name]
        query = f"watch=1&fieldSelector=metadata.name={name}&resourceVersion={listed['metadata']['resourceVersion']}"
        self._answer = self._of.server.stream(f"{self._of.path(kind)}?{query}")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def states(self) -> list[Document]:
        """All states up to this moment; an empty one for each deletion."""
        current = self._of.find(self._kind, self._name)
        if current:
            version = int(current["metadata"]["resourceVersion"])
            eventually(lambda: int(self._newest()), lambda newest: newest >= version)
        return list(self._states)

    def _newest(self) -> str:
        last = next((state for state in reversed(self._states) if state), None)
        return str(last["metadata"]["resourceVersion"]) if last else "0"

    def _read(self) -> None:
        # The server's end, or the test's, ends the watch.
        with contextlib.suppress(requests.RequestException, AttributeError, ValueError), self._answer:
            for line in self._answer.iter_lines(chunk_size=1):
                event = json.loads(line)
                self._states.append({} if event["type"] == "DELETED" else event["object"])
        self._of.server.close()
