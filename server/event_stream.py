"""This module owns news as it happens over plain HTTP: server-sent events, each one JSON body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
from aiohttp import web


async def stream(request: web.Request, bodies: AsyncIterator[object]) -> web.StreamResponse:
    """Send every body as it comes; the stream ends with them, or when nobody listens any more."""
    # some proxies hold back what they take for an ordinary answer
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    # who closes the page has seen enough: that is no error
    with suppress(ConnectionError):
        async for body in bodies:
            await response.write(b"data: " + msgspec.json.encode(body) + b"\n\n")
    return response
