"""What a person does with kubectl, and what a view needs: server-side apply without force, and watch."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, urlencode

import aiohttp

from headgate.cluster.objects import CONFIG_MAP, EVENT, PROMPT_VERSION, QUALITY_GATE, ROLLOUT, Json, Kind
from headgate.local.certificates import Certificates
from headgate.local.errors import LocalError

FIELD_MANAGER = "demo"
_NAMESPACE_KIND = Kind("", "v1", "namespaces", "Namespace")
_SERVICE_ACCOUNT = Kind("", "v1", "serviceaccounts", "ServiceAccount")
_KINDS = {
    (kind.api_version, kind.kind): kind
    for kind in (_NAMESPACE_KIND, _SERVICE_ACCOUNT, CONFIG_MAP, EVENT, PROMPT_VERSION, QUALITY_GATE, ROLLOUT)
}
_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10.0)
_RECONNECT_PAUSE = 0.2


class ApplyRefused(LocalError):
    """The API server did not take a document; a conflict of field managers is one reason."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """An API server, asked as its administrator."""

    url: str
    session: aiohttp.ClientSession
    security: ssl.SSLContext

    async def apply(self, document: Mapping[str, object], *, dry_run: bool = False) -> Json:
        """Apply a document by server-side apply, never with force. Returns the object.

        Raises:
            ApplyRefused: the server will not have it, or another field manager owns a field that it changes.
            LocalError: the server does not answer.
        """
        kind, namespace, name = _identity(document)
        parameters = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        if dry_run:
            parameters["dryRun"] = "All"
        address = f"{self.url}{_path(kind, namespace, name)}?{urlencode(parameters)}"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        try:
            async with self.session.patch(
                address, data=json.dumps(document), headers=headers, ssl=self.security, timeout=_TIMEOUT
            ) as answer:
                body = cast(Json, await answer.json())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LocalError(f"{kind.kind} {name}: the API server at {self.url} does not answer ({error})") from error
        if answer.status >= 300:
            raise ApplyRefused(f"{kind.kind} {name}: {body.get('message')} (HTTP {answer.status})")
        return body

    async def watch(self, kind: Kind, namespace: str, *, name: str | None = None) -> AsyncIterator[Json]:
        """Every state of the objects of a kind, from now on and without end; deletions are left out."""
        selector = {"fieldSelector": f"metadata.name={name}"} if name is not None else {}
        # Without a resourceVersion a watch begins with what exists already.
        parameters = urlencode({"watch": "1", **selector})
        address = f"{self.url}{_path(kind, namespace)}?{parameters}"
        while True:
            try:
                async with self.session.get(address, ssl=self.security, timeout=_WATCH_TIMEOUT) as answer:
                    answer.raise_for_status()
                    async for line in _lines(answer.content):
                        event = json.loads(line)
                        if event["type"] in {"ADDED", "MODIFIED"}:
                            yield event["object"]
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(_RECONNECT_PAUSE)


@asynccontextmanager
async def connect(url: str, certificates: Certificates) -> AsyncIterator[ApiServer]:
    """An API server on this machine, with its administrator's certificate."""
    security = ssl.create_default_context(cafile=str(certificates.authority))
    security.load_cert_chain(certificates.certificate("admin"), certificates.key("admin"))
    async with aiohttp.ClientSession() as session:
        yield ApiServer(url, session, security)


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    # StreamReader.readline() refuses lines of more than 64 KiB, which an object may well have.
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _identity(document: Mapping[str, object]) -> tuple[Kind, str, str]:
    metadata = document.get("metadata")
    kind = _KINDS.get((str(document.get("apiVersion")), str(document.get("kind"))))
    if kind is None or not isinstance(metadata, Mapping):
        raise ApplyRefused(f"{document.get('apiVersion')} {document.get('kind')}: the demo does not know this kind")
    return kind, str(metadata.get("namespace", "")), str(metadata.get("name"))


def _path(kind: Kind, namespace: str, name: str | None = None) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    where = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}{where}/{kind.plural}" + (f"/{quote(name, safe='')}" if name is not None else "")
