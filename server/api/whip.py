"""WHIP (RFC 9725) and WHEP: programs publish into a session and watch it without our client, by a Bearer token."""

from __future__ import annotations

from aiohttp import web

from server.keys import live_key
from server.web import MalformedBody, UnsupportedBody
from signaling.errors import TokenInvalid
from signaling.media.hub import Answer

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

routes = web.RouteTableDef()


@routes.post("/whip/{session}")
async def publish(request: web.Request) -> web.Response:
    """Publish: an offer in, an answer out. `session` is the session's id or its lesson's."""
    offer = await _text(request, SDP)
    return _created(request, request.app[live_key].publish(request.match_info["session"], _bearer(request), offer))


@routes.post("/whep/{session}")
async def watch(request: web.Request) -> web.Response:
    """Watch the teaching side."""
    offer = await _text(request, SDP)
    return _created(request, request.app[live_key].watch(request.match_info["session"], _bearer(request), offer))


@routes.options("/whip/{session}")
@routes.options("/whep/{session}")
async def options(_request: web.Request) -> web.Response:
    """What may be posted here."""
    return web.Response(status=204, headers={"Accept-Post": SDP})


@routes.patch("/rtc/{resource}")
async def trickle(request: web.Request) -> web.Response:
    """Candidates, of which an ICE-lite server has no use, or an ICE restart."""
    fragment = await _text(request, FRAGMENT)
    answer, tag = request.app[live_key].restart(request.match_info["resource"], _bearer(request), fragment)
    headers = {"ETag": f'"{tag}"'}
    if not answer:
        return web.Response(status=204, headers=headers)
    return web.Response(body=answer.encode(), content_type=FRAGMENT, headers=headers)


@routes.delete("/rtc/{resource}")
async def release(request: web.Request) -> web.Response:
    """The end."""
    request.app[live_key].release(request.match_info["resource"], _bearer(request))
    return web.Response(status=200)


def _created(request: web.Request, answer: Answer) -> web.Response:
    headers = {
        "Location": f"/rtc/{answer.resource}",
        "ETag": f'"{answer.etag}"',
        "Accept-Patch": FRAGMENT,
    }
    # SDP's own media type knows no charset, and some clients compare it word for word
    return web.Response(status=201, body=answer.sdp.encode(), content_type=SDP, headers=headers)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("no Bearer token")
    return token.strip()


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise UnsupportedBody(f"send {kind}")
    try:
        return await request.text()
    except (UnicodeDecodeError, LookupError) as error:
        raise MalformedBody(str(error)) from error
