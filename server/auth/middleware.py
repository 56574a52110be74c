"""From a request's cookie to its principal, and the refusal of requests that other sites forge."""

import re
from collections.abc import Container
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler

from server.auth.address import client_address
from server.auth.errors import ForeignRequest, NotSignedIn
from server.auth.principal import Principal
from server.auth.service import AuthService
from server.keys import settings_key

COOKIE = "tongke_session"
SEAT = re.compile(r"[A-Za-z0-9.-]{1,96}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

auth_key: web.AppKey[AuthService] = web.AppKey("auth", AuthService)
origins_key: web.AppKey[Container[str]] = web.AppKey("origins", Container)
_principal_key: web.RequestKey[Principal] = web.RequestKey("principal", Principal)


def cookie_name(request: web.Request) -> str:
    """The cookie of this request's seat. One browser can hold several sign-ins, each page naming its seat: on a
    demonstration the host and three classrooms sit side by side in the tabs of one browser."""
    return _cookie_of(request.headers.get("X-Tongke-Seat") or request.query.get("seat", ""))


def token(request: web.Request) -> str:
    return request.cookies.get(cookie_name(request), "")


def remote_address(request: web.Request) -> str:
    """The client's address, also behind the proxies that the settings trust."""
    return client_address(
        request.remote, request.headers.get("X-Forwarded-For", ""), request.app[settings_key].auth.trusted_proxies
    )


def principal(request: web.Request) -> Principal:
    """Who asks, or NotSignedIn."""
    known: Principal | None = request.get(_principal_key)
    if known is None:
        raise NotSignedIn
    return known


def set_cookie(
    request: web.Request, response: web.StreamResponse, value: str, seconds: float, seat: str | None = None
) -> None:
    """Hand out a session token, for the request's seat unless another is named: not readable by scripts, not sent
    along from other sites."""
    response.set_cookie(
        cookie_name(request) if seat is None else _cookie_of(seat),
        value,
        max_age=int(seconds),
        httponly=True,
        samesite="Lax",
        secure=request.secure or request.headers.get("X-Forwarded-Proto") == "https",
        path="/",
    )


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the principal, where there is one; a handler that needs it asks `principal`."""
    if request.path.startswith("/api/") and request.method not in SAFE_METHODS:
        _refuse_foreign(request)
    held = token(request)
    if held:
        # an old cookie is no error: pages that need nobody go on
        with suppress(NotSignedIn):
            request[_principal_key] = await request.app[auth_key].principal(held)
    return await handler(request)


def _cookie_of(seat: str) -> str:
    return f"{COOKIE}_{seat}" if SEAT.fullmatch(seat) else COOKIE


def _refuse_foreign(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if request.headers.get("X-Tongke") != "1" or (origin is not None and origin not in request.app[origins_key]):
        raise ForeignRequest
