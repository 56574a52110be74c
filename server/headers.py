"""This module owns the headers that every response carries to keep a browser from helping an attacker."""

from __future__ import annotations

import re

from aiohttp import web

_CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        # the player's web components bring style elements into their shadow trees
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'{sockets}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)",
}


HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


def content_security_policy(host: str) -> str:
    """The policy of a page reached at `host`. Older browsers do not count our own WebSocket to 'self'."""
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return _CONTENT_SECURITY_POLICY.format(sockets=sockets)


async def secure(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers; one that a handler has set itself stays, and what no handler made cacheable is not kept."""
    response.headers.setdefault("Content-Security-Policy", content_security_policy(request.host))
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
