"""A paired room's own day, and what its panel found out about its camera, microphone, loudspeaker and line."""

import time
from datetime import timedelta

import structlog
from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import auth_key, principal, set_cookie, token
from server.auth.principal import Principal
from server.auth.service import ROOM_SESSION_SECONDS
from server.keys import (
    amendments_key,
    counties_key,
    live_sessions_key,
    people_key,
    session_store_key,
    settings_key,
)
from server.room_day import room_day
from server.shapes.live import PreflightReport
from server.web import body, reply
from signaling.errors import NotInLesson
from timetable.term import local_date, moment

routes = web.RouteTableDef()
log = structlog.get_logger()


@routes.get("/api/room/day")
async def day(request: web.Request) -> web.Response:
    asker = _room(request, "room_day")
    app, now = request.app, time.time()
    today = local_date(now)
    first, last = moment(today, "00:00"), moment(today + timedelta(days=1), "00:00")
    tables = await app[amendments_key].in_force()
    sessions = {record.id: record for record in await app[session_store_key].between(first, last)}
    for record in await app[session_store_key].unfinished():
        sessions[record.id] = record
    shape = room_day(
        await app[counties_key].now(),
        asker.id,
        standings=tables.on(today),
        sessions=list(sessions.values()),
        now=now,
        prefer_rehearsal=app[settings_key].demo.enabled,
    )
    await app[people_key].seen(asker.id, now)
    response = reply(request, shape)
    if await app[auth_key].prolong(token(request)):
        set_cookie(request, response, token(request), ROOM_SESSION_SECONDS)
    return response


@routes.post("/api/room/preflight")
async def preflight(request: web.Request) -> web.Response:
    """What the panel found out before a lesson: in the log, so that whoever helps the school need not travel there."""
    found = await body(request, PreflightReport)
    asker = _room(request, "preflight")
    session = await request.app[live_sessions_key].one(asker, found.session)
    if session.role is None:
        raise NotInLesson(session.id, "endpoint")
    fine = {"ok", "off", "played", "ready"}
    good = fine.issuperset((found.camera, found.microphone, found.speaker))
    tell = log.info if good else log.warning
    tell(
        "preflight",
        room=asker.id,
        session=session.id,
        camera=found.camera,
        microphone=found.microphone,
        speaker=found.speaker,
        rtt_ms=round(found.rtt_ms),
    )
    return web.Response(status=204)


def _room(request: web.Request, action: str) -> Principal:
    asker = principal(request)
    if asker.kind != "room":
        raise NotPermitted(action)
    return asker
