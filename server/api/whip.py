"""WHIP (RFC 9725) and WHEP: programs publish into a session and watch it without our client, by a Bearer token."""

from __future__ import annotations

import re

from aiohttp import web

from server.keys import live_key, relay_key
from server.shapes.live import IceServer
from server.web import MalformedBody, UnsupportedBody
from signaling.errors import TokenMissing
from signaling.media.hub import Answer

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
ENTRIES = ("/whip/{session}", "/whep/{session}")
RESOURCE = "/rtc/{resource}"
LARGEST_OFFER = 512 * 1024
"""Bytes: browsers' offers of many sections are larger than other bodies."""

ENTRY_METHODS = "GET, HEAD, OPTIONS, POST"
RESOURCE_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH"
ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Patch, Accept-Post, ETag, Link, Location, Retry-After, WWW-Authenticate",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    # `ETag` in requests: a common WHIP client sends it in place of If-Match
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, ETag",
    "Access-Control-Max-Age": "86400",
}
_TAG = re.compile(r'\s*(?:(\*)|(W/)?"([^"]*)")\s*')

routes = web.RouteTableDef()


@routes.post("/whip/{session}")
async def publish(request: web.Request) -> web.Response:
    """Publish: an offer in, an answer out. `session` is the session's id or its lesson's."""
    live, token = request.app[live_key], _bearer(request)
    live.admission.bearer(token)
    offer = await _text(request, SDP)
    return _created(request, live.resources.publish(request.match_info["session"], token, offer))


@routes.post("/whep/{session}")
async def watch(request: web.Request) -> web.Response:
    """Watch the teaching side."""
    live, token = request.app[live_key], _bearer(request)
    live.admission.bearer(token)
    offer = await _text(request, SDP)
    return _created(request, live.resources.watch(request.match_info["session"], token, offer))


@routes.options("/whip/{session}")
@routes.options("/whep/{session}")
async def options(request: web.Request) -> web.Response:
    """What may be posted here; with a token, the relays too, for clients that must know them before they offer. A
    browser's preflight carries no token."""
    response = web.Response(headers={"Accept-Post": SDP, "Allow": ENTRY_METHODS} | PREFLIGHT)
    response.headers["Access-Control-Allow-Methods"] = ENTRY_METHODS
    if "Authorization" in request.headers:
        claims = request.app[live_key].admission.bearer(_bearer(request))
        _link_relays(response, request.app[relay_key].servers(claims.participant))
    return response


@routes.options("/rtc/{resource}")
async def resource_options(_request: web.Request) -> web.Response:
    """What may be done with a resource."""
    headers = {"Accept-Patch": FRAGMENT, "Allow": RESOURCE_METHODS, "Access-Control-Allow-Methods": RESOURCE_METHODS}
    return web.Response(headers=headers | PREFLIGHT)


@routes.get("/whip/{session}")
@routes.get("/whep/{session}")
@routes.get("/rtc/{resource}")
async def nothing(_request: web.Request) -> web.Response:
    """These have no representation; the RFC wants a success without content."""
    return web.Response(status=204)


@routes.patch("/rtc/{resource}")
async def trickle(request: web.Request) -> web.Response:
    """Candidates, of which an ICE-lite server has no use, or an ICE restart."""
    resources, resource, token = request.app[live_key].resources, request.match_info["resource"], _bearer(request)
    resources.owner(resource, token)
    fragment = await _text(request, FRAGMENT)
    answer, tag = resources.restart(resource, token, fragment, _tags(request.headers.get("If-Match")))
    if not answer:
        return web.Response(status=204)
    return web.Response(body=answer.encode(), content_type=FRAGMENT, headers={"ETag": f'"{tag}"'})


@routes.delete("/rtc/{resource}")
async def release(request: web.Request) -> web.Response:
    """The end. Its tag does not matter."""
    request.app[live_key].resources.release(request.match_info["resource"], _bearer(request))
    return web.Response(status=200)


async def open_to_any_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Players and encoders are pages of anybody's. Nothing here hangs on a cookie, so every origin may ask; what it
    gets depends on the token alone."""
    if request.path.startswith(("/whip/", "/whep/", "/rtc/")):
        response.headers.update(ANY_ORIGIN)


def _created(request: web.Request, answer: Answer) -> web.Response:
    # SDP's own media type knows no charset, and some clients compare it word for word
    response = web.Response(status=201, body=answer.sdp.encode(), content_type=SDP)
    response.headers["Location"] = f"/rtc/{answer.resource}"
    response.headers["ETag"] = f'"{answer.etag}"'
    response.headers["Accept-Patch"] = FRAGMENT
    _link_relays(response, request.app[relay_key].servers(answer.resource))
    return response


def _link_relays(response: web.Response, servers: tuple[IceServer, ...]) -> None:
    """One Link header for each address (RFC 9725, section 4.6)."""
    for server in servers:
        secrets = ""
        if server.username:
            secrets = f'; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
        for url in server.urls:
            response.headers.add("Link", f'<{url}>; rel="ice-server"{secrets}')


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing("no Bearer token")
    return token.strip()


def _tags(header: str | None) -> tuple[str, ...] | None:
    """The strong tags of an If-Match header; None without one. Weak ones never match (RFC 9110, section 13.1.1)."""
    if header is None:
        return None
    found = (_TAG.fullmatch(part) for part in header.split(","))
    return tuple(tag[1] or tag[3] for tag in found if tag is not None and not tag[2])


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise UnsupportedBody(f"send {kind}")
    try:
        return await request.clone(client_max_size=LARGEST_OFFER).text()
    except (UnicodeDecodeError, LookupError) as error:
        raise MalformedBody(str(error)) from error
