"""Live sessions over HTTP: which there are, a rehearsal, and the token that opens the socket."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from server.auth.middleware import principal
from server.keys import live_key, live_sessions_key, people_key, relay_key, site_key
from server.qr import qr_code
from server.shapes.live import Access, AccessRow, JoinReply, NewAccess, NewJoin, NewRehearsal
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
    given = await body(request, NewJoin) if request.can_read_body else NewJoin()
    token, claims = await request.app[live_sessions_key].join(
        principal(request), request.match_info["id"], request.query.get("as"), given.invitation
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
    """A way into the lesson for a program, a guest, or its schools' teachers."""
    wanted, session = await body(request, NewAccess), request.match_info["id"]
    token, claims = await request.app[live_sessions_key].give(principal(request), session, wanted.kind)
    site = request.app[site_key].public_url
    url = {
        "encoder": f"{site}/whip/{claims.session}",
        "player": f"{site}/whep/{claims.session}",
        # behind the #, where no log of a server sees it
        "guest": f"{site}/classroom/{session}?as=observer#{token}",
        "peers": f"{site}/classroom/{session}?as=observer",
    }[wanted.kind]
    shown = token if wanted.kind in ("encoder", "player") else ""
    return reply(request, Access(id=claims.jti, url=url, token=shown, expires_at=claims.exp), 201)


@routes.get("/api/sessions/{id}/access")
async def accesses(request: web.Request) -> web.Response:
    """What the host has given away and not taken back."""
    found = await request.app[live_sessions_key].given(principal(request), request.match_info["id"])
    people = {person.id: person.name for person in await request.app[people_key].all()} if found else {}
    used = request.app[live_key].tokens_in_use()
    rows = [
        AccessRow(
            id=one.id,
            kind=one.kind,
            by=people.get(one.given_by, one.given_by),
            at=one.given_at,
            expires_at=one.expires_at,
            in_use=one.id in used,
        )
        for one in found
    ]
    return reply(request, rows)


@routes.delete("/api/sessions/{id}/access/{access}")
async def withdraw(request: web.Request) -> web.Response:
    """Take one back; who is in by it is out at once."""
    await request.app[live_sessions_key].withdraw(
        principal(request), request.match_info["id"], request.match_info["access"]
    )
    return web.Response(status=204)


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
