"""Live sessions over HTTP: which there are, a rehearsal, and the token that opens the socket."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from server.auth.middleware import principal
from server.keys import live_sessions_key, relay_key, site_key
from server.qr import qr_code
from server.shapes.live import Access, JoinReply, NewAccess, NewRehearsal
from server.web import InvalidBody, body, reply

FIRST_YEAR, LAST_YEAR = 2000, 2100

routes = web.RouteTableDef()


@routes.get("/api/sessions")
async def day(request: web.Request) -> web.Response:
    """The sessions of a day, of one community or of all that the asker may see."""
    found = await request.app[live_sessions_key].day(
        principal(request), _date(request.query.get("date")), request.query.get("community")
    )
    return reply(request, found)


@routes.get("/api/sessions/{id}")
async def one(request: web.Request) -> web.Response:
    return reply(request, await request.app[live_sessions_key].one(principal(request), request.match_info["id"]))


@routes.post("/api/sessions")
async def rehearse(request: web.Request) -> web.Response:
    """Open a rehearsal (试讲) of a lesson."""
    wanted = await body(request, NewRehearsal)
    return reply(request, await request.app[live_sessions_key].rehearse(principal(request), wanted.lesson), 201)


@routes.post("/api/sessions/{id}/join")
async def join(request: web.Request) -> web.Response:
    """A token for the socket, in the role that fits best or that `as` names."""
    token, claims = await request.app[live_sessions_key].join(
        principal(request), request.match_info["id"], request.query.get("as")
    )
    assistant = f"{request.app[site_key].public_url}/classroom/{claims.session}?as=assistant"
    shape = JoinReply(
        token=token,
        expires_at=claims.exp,
        socket_url=request.app[site_key].socket_url,
        session=claims.session,
        participant=claims.participant,
        role=claims.role,
        ice_servers=request.app[relay_key].servers(claims.participant),
        assistant_url=assistant if claims.role == "endpoint" else "",
        assistant_qr=qr_code(assistant) if claims.role == "endpoint" else None,
    )
    return reply(request, shape)


@routes.post("/api/sessions/{id}/access")
async def access(request: web.Request) -> web.Response:
    """A token for an encoder or a player."""
    wanted = await body(request, NewAccess)
    token, claims = await request.app[live_sessions_key].access(
        principal(request), request.match_info["id"], wanted.kind
    )
    entry = "whip" if wanted.kind == "encoder" else "whep"
    url = f"{request.app[site_key].public_url}/{entry}/{claims.session}"
    return reply(request, Access(url=url, token=token, expires_at=claims.exp), 201)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidBody("not a date", "date") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidBody("not a date of our time", "date")
    return found
