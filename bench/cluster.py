"""The API server as its administrator uses it: many requests at once, and watches. Knows nothing of headgate."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Self

import aiohttp

from bench import targets
from bench.documents import Document
from headgate.local.control_plane import ControlPlane

_AT_ONCE = 16
_HEADGATE = "/apis/headgate.dev/v1alpha1"
_COLLECTIONS = {
    "PromptVersion": (_HEADGATE, "promptversions"),
    "QualityGate": (_HEADGATE, "qualitygates"),
    "Rollout": (_HEADGATE, "rollouts"),
    "ConfigMap": ("/api/v1", "configmaps"),
    targets.KIND: (f"/apis/{targets.API_VERSION}", targets.PLURAL),
    "HTTPRoute": ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
}
_MERGE_PATCH = "application/merge-patch+json"


class RefusedError(Exception):
    """The API server said no; the text is what it said."""


class Cluster:
    """One API server; an async context manager."""

    def __init__(self, plane: ControlPlane) -> None:
        self._url = plane.url
        certificates = plane.api.certificates
        context = ssl.create_default_context(cafile=str(certificates.authority))
        context.load_cert_chain(str(certificates.certificate("admin")), str(certificates.key("admin")))
        # Watches hold connections for themselves.
        connector = aiohttp.TCPConnector(ssl=context, limit=_AT_ONCE + 8)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None, connect=60), read_bufsize=2**20
        )
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._session.close()

    async def make_namespace(self, name: str) -> None:
        """Create a namespace."""
        await self.send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    async def create(self, namespace: str, documents: Sequence[Document]) -> None:
        """Create them, many at once. Raises RefusedError."""
        await asyncio.gather(*(self.send("POST", path(each["kind"], namespace), each) for each in documents))

    async def merge_patch(self, kind: str, namespace: str, name: str, body: Document) -> None:
        """Change one object, as `kubectl patch --type merge`. Raises RefusedError."""
        await self.send("PATCH", f"{path(kind, namespace)}/{name}", body, _MERGE_PATCH)

    async def send(self, method: str, where: str, body: Document, content_type: str = "application/json") -> Document:
        """The answer. Raises RefusedError."""
        async with (
            self._turn,
            self._session.request(
                method, f"{self._url}{where}", data=json.dumps(body), headers={"Content-Type": content_type}
            ) as answer,
        ):
            found: Document = await answer.json()
            if not answer.ok:
                raise RefusedError(f"{method} {where}: {found.get('message')}")
            return found

    async def watch(self, kind: str) -> AsyncIterator[Document]:
        """Every state of every object of a kind in all namespaces, from those that are there now; without an end."""
        query = "watch=1&allowWatchBookmarks=false&timeoutSeconds=86400"
        # The API server ends a watch whose reader is slow, as on a machine with much else to do; the next one begins
        # with everything as it is then, so that what was missed is seen late, which is told as slow, never as quick.
        while True:
            async with self._session.get(f"{self._url}{path(kind)}?{query}") as answer:
                if not answer.ok:
                    raise RefusedError(f"watch {kind}: HTTP {answer.status}")
                async for line in answer.content:
                    event: Document = json.loads(line)
                    if event["type"] in ("ADDED", "MODIFIED"):
                        yield event["object"]


def path(kind: str, namespace: str | None = None) -> str:
    """The collection of a kind, in one namespace or in all."""
    api, plural = _COLLECTIONS[kind]
    return f"{api}/namespaces/{namespace}/{plural}" if namespace else f"{api}/{plural}"
