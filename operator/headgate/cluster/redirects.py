"""The API server never points elsewhere; whoever does gets neither a token nor a write. Knows no request's content."""

import aiohttp


def refuse_redirects(trace: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
    """The same trace, which ends a request that is pointed elsewhere with ClientConnectionError."""

    async def refuse(_session: object, _context: object, _params: object) -> None:
        raise aiohttp.ClientConnectionError("it points to another address, which is not followed")

    trace.on_request_redirect.append(refuse)
    return trace
