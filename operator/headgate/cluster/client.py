"""Requests to the API server, one try each, with typed refusals. Knows no kind's content and keeps nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from headgate import __version__
from headgate.cluster.impersonation import HEADER, user_of
from headgate.cluster.objects import (
    FIELD_MANAGER,
    ClusterError,
    Json,
    JsonValue,
    Kind,
    NotFound,
    NotLeading,
    TooLarge,
    Unavailable,
)
from headgate.cluster.refusals import refusal
from headgate.cluster.segments import collection_path, group_path, object_path
from headgate.cluster.sending import send

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=5.0)
_PAGE = 500
MOST_BYTES = 32 * 1024 * 1024
"""An answer longer than this is dropped unread: what a tenant stores must not fill this process."""
_CHUNK = 256 * 1024
_Body: TypeAlias = Json | list[dict[str, JsonValue]] | None
_MANAGED = urlencode({"fieldManager": FIELD_MANAGER})


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    items: tuple[Json, ...]
    resource_version: int
    """Of the whole list: what was created later is not in it."""


def _uncounted(verb: str, kind: str, result: str) -> None:
    """Nobody counts requests."""


def _always() -> bool:
    """Nobody else writes."""
    return True


class Client:
    """The Objects of the API server. Never tries again: the caller knows whether its question still stands."""

    def __init__(
        self,
        configuration: Configuration,
        count: Callable[[str, str, str], None] = _uncounted,
        may_write: Callable[[], bool] = _always,
    ) -> None:
        """``count`` is told of each request: verb, kind and result (``ok`` or the refusal's name).

        ``may_write`` is asked just before each write is sent; where it denies, the write raises NotLeading.
        """
        self._api = ApiClient(configuration)
        self._api.user_agent = f"headgate/{__version__}"
        self._host = configuration.host
        self._count = count
        self._may_write = may_write
        # Waiting for a connection in the pool itself is unfair: under load a waiter starves for seconds.
        self._turn = asyncio.Semaphore(configuration.connection_pool_maxsize)

        # For as long as somebody writes as it: tenants choose the names, so they must not pile up.
        self._acting: WeakValueDictionary[str, Client] = WeakValueDictionary()
        self._user = ""

    def acting_as(self, namespace: str, service_account: str) -> "Client":
        """This client, on the same connections, with every write sent as that ServiceAccount. Raises Refused.

        The API server then grants what the account may do, and nothing of what the operator may. Reads stay the
        operator's own. Two for the same account are the same object while both are held.
        """
        user = user_of(namespace, service_account)
        acting = self._acting.get(user)
        if acting is None:
            acting = self._acting[user] = copy(self)
            acting._user = user  # noqa: SLF001 - one of its own kind
        return acting

    async def close(self) -> None:
        """Closes the connections."""
        await self._api.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """The object as it is now. Raises NotFound."""
        return await self._request("GET", kind, object_path(kind, namespace, name))

    async def create(self, kind: Kind, namespace: str, body: Json, *, dry_run: bool = False) -> Json:
        """Creates it; the name is the precondition. Raises AlreadyExists.

        With ``dry_run`` the API server checks everything and stores nothing.
        """
        query = f"{_MANAGED}&dryRun=All" if dry_run else _MANAGED
        return await self._request("POST", kind, f"{collection_path(kind, namespace)}?{query}", body, _JSON)

    async def merge_patch(
        self, kind: Kind, namespace: str, name: str, body: Json, *, resource_version: str, subresource: str = ""
    ) -> Json:
        """A merge patch under the resourceVersion that was read. Returns the object. Raises Conflict, NotFound."""
        metadata = body.get("metadata")
        kept = metadata if isinstance(metadata, dict) else {}
        guarded: Json = {**body, "metadata": {**kept, "resourceVersion": resource_version}}
        path = f"{object_path(kind, namespace, name, subresource)}?{_MANAGED}"
        return await self._request("PATCH", kind, path, guarded, _MERGE_PATCH)

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, JsonValue]]
    ) -> Json:
        """A JSON patch that holds its own ``test`` operations. Returns the object. Raises Conflict, NotFound."""
        path = f"{object_path(kind, namespace, name)}?{_MANAGED}"
        return await self._request("PATCH", kind, path, [dict(each) for each in operations], _JSON_PATCH)

    async def pages(self, kind: Kind, namespace: str | None, label_selector: str = "") -> AsyncIterator[Page]:
        """All objects of a kind, page by page. Raises NotFound when the kind is not served."""
        query: dict[str, str] = {}
        if label_selector:
            query["labelSelector"] = label_selector
        path, limit = collection_path(kind, namespace), _PAGE
        while True:
            try:
                answer = await self._request("GET", kind, f"{path}?{urlencode({**query, 'limit': limit})}")
            except TooLarge:
                if limit == 1:
                    raise
                limit = max(1, limit // 8)
                continue
            metadata, items = answer.get("metadata"), answer.get("items")
            if not isinstance(metadata, dict) or not isinstance(items, list):
                raise Unavailable(f"list {kind.plural}: the answer is no list")
            version = str(metadata.get("resourceVersion", ""))
            yield Page(
                tuple(item for item in items if isinstance(item, dict)), int(version) if version.isdigit() else 0
            )
            following = metadata.get("continue")
            if not isinstance(following, str) or not following:
                return
            query["continue"] = following

    async def labelled(self, kind: Kind, namespace: str, label_selector: str) -> tuple[Json, ...]:
        """The objects of a namespace that carry those labels. Raises NotFound when the kind is not served."""
        found: list[Json] = []
        async for page in self.pages(kind, namespace, label_selector):
            found += page.items
        return tuple(found)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Deletes it while it is the object of that UID. Raises Conflict, NotFound."""
        body: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        await self._request("DELETE", kind, object_path(kind, namespace, name), body, _JSON)

    async def plural(self, api_version: str, kind: str) -> str | None:
        """What the API server calls a namespaced kind in paths; None when it serves no such kind."""
        group, _, version = api_version.partition("/")
        asked = Kind(group, version, "", kind)
        try:
            answer = await self._request("GET", asked, group_path(group, version))
        except NotFound:
            return None
        resources = answer.get("resources")
        for resource in resources if isinstance(resources, list) else ():
            name = resource.get("name") if isinstance(resource, dict) else None
            if not isinstance(resource, dict) or not isinstance(name, str) or "/" in name:
                continue
            if resource.get("kind") == kind:
                return name if resource.get("namespaced") is True else None
        return None

    async def _request(self, method: str, kind: Kind, path: str, body: _Body = None, content: str = "") -> Json:
        try:
            answer = await self._send(method, path, body, content)
        except ClusterError as error:
            self._count(method, kind.kind, type(error).__name__)
            raise
        self._count(method, kind.kind, "ok")
        return answer

    async def _send(self, method: str, path: str, body: _Body, content: str) -> Json:
        what = f"{method} {path.partition('?')[0]}"
        headers = {"Accept": _JSON, "User-Agent": self._api.user_agent}
        if content:
            headers["Content-Type"] = content
        if self._user and method != "GET":
            headers[HEADER] = self._user
        try:
            await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            async with self._turn:
                # Here and no earlier: this process may have stood still for as long as it likes until now.
                if method != "GET" and not self._may_write():
                    raise NotLeading(f"{what}: not sent, this replica is not known to hold the Lease any more")
                url = f"{self._host}{path}"
                response = await send(self._api.rest_client, method, url, headers, body, _TIMEOUT)
                data = await _read(response, what)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Unavailable(f"{what}: no answer from the API server ({reason[:200]})") from error
        if not 200 <= response.status < 300:
            after = response.headers.get("Retry-After")
            raise refusal(what, response.status, data, after, json_patch=content == _JSON_PATCH)
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise Unavailable(f"{what}: the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise Unavailable(f"{what}: the answer is no object")
        return answer


async def _read(response: aiohttp.ClientResponse, what: str) -> bytes:
    """The whole answer. Raises TooLarge, and what aiohttp raises; a connection that was not read out is closed."""
    data = bytearray()
    async with response:
        async for chunk in response.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) > MOST_BYTES:
                raise TooLarge(f"{what}: the answer is longer than {MOST_BYTES // 1024 // 1024} MiB")
    return bytes(data)
