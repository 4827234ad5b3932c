"""Sends a request on the client's connections, its body as short as JSON goes. Knows no refusal."""

import json

import aiohttp
from kubernetes.aio.client.rest import RESTClientObject

from headgate.cluster.objects import Json, JsonValue


async def send(  # noqa: PLR0917 - what a request is made of
    rest: RESTClientObject,
    method: str,
    url: str,
    headers: dict[str, str],
    body: Json | list[dict[str, JsonValue]] | None,
    longest: aiohttp.ClientTimeout,
) -> aiohttp.ClientResponse:
    """The answer, unread. Raises what aiohttp raises.

    The client itself would escape whatever is not ASCII: an emoji takes 12 bytes then, three times what it does in
    the object that it was read from, and what the API server keeps it would not take back.
    """
    if rest.pool_manager is None:
        rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - as its own requests do
    response: aiohttp.ClientResponse = await rest.pool_manager.request(
        method,
        url,
        data=encoded(body) if body is not None else None,
        headers=headers,
        timeout=longest,
        server_hostname=rest.configuration.tls_server_name or None,
        proxy=rest.proxy or None,
        proxy_headers=rest.proxy_headers or None,
    )
    return response


def encoded(body: Json | list[dict[str, JsonValue]]) -> bytes:
    """A body in UTF-8, without spaces and escaped only where it must be."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is in JSON only as an escape.
        return json.dumps(body, separators=(",", ":")).encode()
